"""Running a flow from the command line, without a worker.

Without PREFECT_API_URL a server of its own comes and goes with the flow.
"""

import signal
import sys
from collections.abc import Callable

from prefect.client.orchestration import get_client

from pipelines import dvc
from splitpose.errors import InputError


def run_locally(flow: Callable[[], None]) -> None:
    """Run the flow in this process; a failing stage ends in one line and status 1."""
    # Prefect passes SIGTERM on to the handler that it found, and the default one would leave its server behind.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    # A client starts that server. Ctrl-C reaches all of a terminal's processes; the server inherits that it is
    # blocked, for the flow still has to tell it how it ended.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    get_client(sync_client=True)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    try:
        flow()
    except (dvc.StageError, InputError) as error:
        sys.exit(f"error: {error}")
