"""Live logging: every validation step is logged to MLflow while the model trains.

Training never fails because of MLflow; `splitpose sync` later logs the rows that MLflow did not receive.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from splitpose.tracking import provenance, state
from splitpose.tracking.runs import Run, describe_error, metric_prefix, open_run, shorten_timeouts

LogRow = Callable[[Mapping[str, Any]], None]


@contextmanager
def live_run(variant: str, repeat: int = 1) -> Iterator[LogRow]:
    """Yield a function that logs one row of a repeat's training history to the variant's run.

    Only stages that DVC runs are logged: one that is started manually may use any profile, crops and outputs, so
    its metrics belong to no state of the pipeline.
    """
    if not os.environ.get("DVC_STAGE", "").endswith(tuple(state.training_stage_names(variant, repeat))):
        yield lambda row: None
        return
    shorten_timeouts()
    logger = _LiveLogger()
    logger.attempt(lambda: logger.open(variant, repeat))
    try:
        yield lambda row: logger.attempt(lambda: logger.log(row))
    except BaseException as error:
        status = "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED"
        logger.attempt(lambda: logger.end(status))
        raise


def open_runs(root: Path, variants: Iterable[str]) -> None:
    """Create the run of each variant, unless it exists, before several machines train its repeats at the same time.

    Each of them would otherwise create a run. If MLflow fails, a warning is printed, as by `live_run`.
    """
    shorten_timeouts()
    _LiveLogger().attempt(partial(_create_runs, root, variants))


def _create_runs(root: Path, variants: Iterable[str]) -> None:
    for variant in variants:
        entries = state.workspace_entries(root, variant)
        open_run(root, state.profile(entries, variant), variant, state.digest(entries, variant))


class _LiveLogger:
    """A run that receives the training history until the first failure of MLflow."""

    def __init__(self) -> None:
        self.run: Run | None = None
        self.prefix = ""

    def attempt(self, action: Callable[[], object]) -> None:
        """Run an action; print a warning and stop logging if it fails."""
        try:
            action()
        except Exception as error:
            self.run = None
            print(f"warning: MLflow logging stopped: {describe_error(error)}", file=sys.stderr)

    def open(self, variant: str, repeat: int) -> None:
        """Open the variant's run, which `log` and `end` then use."""
        # DVC runs a stage in its workspace; an experiment in a temporary folder sets DVC_ROOT to the project.
        workspace = Path.cwd()
        entries = state.workspace_entries(workspace, variant)
        root = Path(os.environ.get("DVC_ROOT", workspace))
        digest = state.digest(entries, variant)
        provenance.record_training(root, digest)
        run = open_run(root, state.profile(entries, variant), variant, digest)
        run.set_origin(provenance.TRAINED)
        run.log_params(state.parameters(entries, variant))
        run.set_status("RUNNING")
        self.run, self.prefix = run, metric_prefix(state.repeats(entries, variant), repeat)

    def log(self, row: Mapping[str, Any]) -> None:
        """Log a row of the training history, unless logging has stopped."""
        if self.run:
            self.run.log_history([row], self.prefix)

    def end(self, status: str) -> None:
        """Set the run's final status, unless logging has stopped."""
        if self.run:
            self.run.set_status(status)
