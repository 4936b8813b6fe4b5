"""Prefect flows around the DVC stages.

The settings hold for all flows unless the environment says otherwise; Prefect reads them when it is imported.
"""

import os
from pathlib import Path

os.environ.setdefault("PREFECT_HOME", str(Path(__file__).resolve().parents[1] / ".prefect"))
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")
# Seconds. Between two tries of a task that needs the outside world; between two signs of life of a run.
os.environ.setdefault("PREFECT_TASKS_DEFAULT_RETRY_DELAY_SECONDS", "30")
os.environ.setdefault("PREFECT_FLOWS_HEARTBEAT_FREQUENCY", "30")
