"""Training that can be watched in MLflow: each look at the validation people is logged as it is taken.

Training never fails for it: what MLflow did not get, `splitpose sync` adds afterwards.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from splitpose.tracking import provenance, state
from splitpose.tracking.runs import Run, open_run, reason

Look = Callable[[Mapping[str, Any]], None]


@contextmanager
def live_run(variant: str) -> Iterator[Look]:
    """Give a function that logs one row of the training history to the variant's run.

    Only stages that DVC runs are logged: one that is run by hand may have any profile, crops and outputs, so
    its numbers belong to no state of the pipeline.
    """
    if not os.environ.get("DVC_STAGE", "").endswith(f"@{variant}"):
        yield lambda row: None
        return
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")  # seconds: training waits for no server
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    run = _Live()
    run.attempt(lambda: run.open(variant))
    try:
        yield lambda row: run.attempt(lambda: run.log(row))
    except BaseException as error:
        status = "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED"
        run.attempt(lambda: run.end(status))
        raise


class _Live:
    """A run that is logged to until that fails for the first time."""

    def __init__(self) -> None:
        self.run: Run | None = None

    def attempt(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:
            self.run = None
            print(f"warning: MLflow does not follow this training any more: {reason(error)}", file=sys.stderr)

    def open(self, variant: str) -> None:
        # The workspace is where DVC runs the stage; an experiment in a temporary folder keeps DVC_ROOT.
        workspace = Path.cwd()
        entries = state.of_workspace(workspace, variant)
        root = Path(os.environ.get("DVC_ROOT", workspace))
        digest = state.digest(entries, variant)
        provenance.mark(root, digest)
        run = open_run(root, state.profile(entries, variant), variant, digest)
        run.set_origin(provenance.TRAINED)
        run.log_parameters(state.parameters(entries, variant))
        run.set_status("RUNNING")
        self.run = run

    def log(self, row: Mapping[str, Any]) -> None:
        if self.run:
            self.run.log_rows([row])

    def end(self, status: str) -> None:
        if self.run:
            self.run.set_status(status)
