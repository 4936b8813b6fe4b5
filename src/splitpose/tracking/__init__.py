"""MLflow: a variant's run, found by its state, fed live while it trains and completed from files (record)."""

from splitpose.tracking.lineage import lineage
from splitpose.tracking.live import live_run
from splitpose.tracking.record import record
from splitpose.tracking.runs import connect, open_run

__all__ = ["connect", "lineage", "live_run", "open_run", "record"]
