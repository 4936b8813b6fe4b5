"""Running a flow in this process, without a worker."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from prefect.client.orchestration import get_client

from pipelines import workspace_check
from pipelines.server import authentication_required, check_proxies
from splitpose.errors import ExternalServiceError

Result = TypeVar("Result")


def run_locally(flow: Callable[[], Result]) -> Result:
    """Run a flow in this process, and return its result; SIGTERM and Ctrl-C end it and everything that it started.

    Without PREFECT_API_URL a temporary Prefect server runs as long as the flow.

    Raises:
        ExternalServiceError: the temporary server does not start in time.
        InputError: raised by the flow, e.g. `dvc.StageError` if a stage fails; or the server of PREFECT_API_URL
            requires a user and password; or a proxy of the environment is invalid, or the project
            cannot be used (see `workspace_check`).
    """
    workspace_check.check(Path.cwd())
    check_proxies()
    # Prefect passes SIGTERM on to the handler that was installed before; the default handler would end this process
    # without stopping the temporary server.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    # The first client starts the temporary server. A terminal sends Ctrl-C to all its processes, but the flow still
    # has to report its final state to the server, so the server inherits a blocked SIGINT.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        get_client(sync_client=True)
    except RuntimeError as error:
        raise ExternalServiceError(f"Prefect's temporary server: {error} Run the command again.") from error
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    with authentication_required():
        return flow()
