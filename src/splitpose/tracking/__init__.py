"""MLflow tracking: one run per variant and state of the pipeline, logged live and completed from files."""

from splitpose.tracking.lineage import lineage
from splitpose.tracking.live import live_run, open_runs
from splitpose.tracking.runs import connect, open_run
from splitpose.tracking.sync import sync_runs

__all__ = ["connect", "lineage", "live_run", "open_run", "open_runs", "sync_runs"]
