"""Prefect flows around the DVC stages.

The settings below apply to all flows unless the environment overrides them; Prefect reads them when it is imported.
"""

import os
from pathlib import Path

import splitpose  # noqa: F401 (excludes loopback from the proxies of the environment)

os.environ.setdefault("PREFECT_HOME", str(Path(__file__).resolve().parents[1] / ".prefect"))
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")
# The log of a run also contains the warnings of the package, for example of a webhook that does not answer.
os.environ.setdefault("PREFECT_LOGGING_EXTRA_LOGGERS", "splitpose")
# Seconds between two attempts of a task that depends on an external service, and between two heartbeats of a run.
os.environ.setdefault("PREFECT_TASKS_DEFAULT_RETRY_DELAY_SECONDS", "30")
os.environ.setdefault("PREFECT_FLOWS_HEARTBEAT_FREQUENCY", "30")
# Seconds that the temporary server may take to start; the default of 20 is too short for a busy machine.
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
# Servers that we start: pages of other origins can neither read nor write, and the leases of concurrency limits are
# kept in files; in memory, Prefect's default, a restart of the server would end the active runs of our deployments.
os.environ.setdefault("PREFECT_SERVER_CORS_ALLOWED_ORIGINS", "")
os.environ.setdefault("PREFECT_SERVER_CSRF_PROTECTION_ENABLED", "true")
os.environ.setdefault(
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE", "prefect.server.concurrency.lease_storage.filesystem"
)
os.environ.setdefault("PREFECT_UI_API_URL", "/api")  # the default is port 4200, whichever port the server has
# Prefect's second UI sends usage data to another company's server, which no setting prevents.
os.environ.setdefault("PREFECT_SERVER_UI_V2_ENABLED", "false")
