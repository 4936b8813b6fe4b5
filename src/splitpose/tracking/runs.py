"""Runs in MLflow: one experiment a profile, one run a variant and state, nothing in them twice."""

import hashlib
import json
import os
import re
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from splitpose.errors import ExternalServiceError

if TYPE_CHECKING:  # MLflow takes seconds to import
    from mlflow import MlflowClient

CURVES = ("train_loss", "val_loss", "val_pck_0.2", "learning_rate")
"""Columns of a training history that are metrics; the step is its `iteration`."""


ORIGIN = "splitpose.origin"
"""Tag: whether the variant was trained for this run or restored from DVC's cache (see `made`)."""


@dataclass(frozen=True)
class Run:
    """One run. What is logged is compared with what is there first, so that logging again changes nothing."""

    client: "MlflowClient"
    id: str

    def log_rows(self, rows: Iterable[Mapping[Any, Any]]) -> None:
        """Looks of a training history, those that are not there yet."""
        from mlflow.entities import Metric

        known = {metric.step for metric in self.client.get_metric_history(self.id, CURVES[0])}
        now = _now()
        new = [row for row in rows if row["iteration"] not in known]
        metrics = [Metric(key, float(row[key]), now, int(row["iteration"])) for row in new for key in CURVES]
        for start in range(0, len(metrics), 1000):  # as many as MLflow takes at once
            self.client.log_batch(self.id, metrics=metrics[start : start + 1000])

    def log_metrics(self, values: Mapping[str, float]) -> None:
        """Single numbers."""
        from mlflow.entities import Metric

        known = self.client.get_run(self.id).data.metrics
        new = [Metric(key, value, _now(), 0) for key, value in values.items() if known.get(key) != value]
        self.client.log_batch(self.id, metrics=new)

    def log_parameters(self, values: Mapping[str, Any]) -> None:
        """What the run was made with. MLflow never changes a parameter, so those already there stay."""
        from mlflow.entities import Param

        known = self.client.get_run(self.id).data.params
        new = [Param(key, _text(value)) for key, value in values.items() if key not in known]
        for start in range(0, len(new), 100):  # as many as MLflow takes at once
            self.client.log_batch(self.id, params=new[start : start + 100])

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Tags."""
        from mlflow.entities import RunTag

        known = self.client.get_run(self.id).data.tags
        new = [RunTag(key, value) for key, value in tags.items() if known.get(key) != value]
        self.client.log_batch(self.id, tags=new)

    def set_origin(self, origin: str) -> None:
        """Where the run's results come from, once: who comes later may only have taken them from the cache."""
        if ORIGIN not in self.client.get_run(self.id).data.tags:
            self.set_tags({ORIGIN: origin})

    def log_files(self, root: Path, paths: Iterable[Path]) -> None:
        """Files below `root`, under the same path; all of them again if one has changed."""
        hashes = {str(path.relative_to(root)): hashlib.md5(path.read_bytes()).hexdigest() for path in paths}
        known = self.client.get_run(self.id).data.tags.get("splitpose.files")
        together = hashlib.md5(json.dumps(hashes, sort_keys=True).encode()).hexdigest()
        if known == together and self.client.list_artifacts(self.id):
            return
        for path in hashes:
            folder = str(Path(path).parent)
            self.client.log_artifact(self.id, str(root / path), None if folder == "." else folder)
        self.set_tags({"splitpose.files": together})

    def set_status(self, status: str) -> None:
        """RUNNING, FINISHED, FAILED or KILLED."""
        if self.client.get_run(self.id).info.status == status:
            return
        if status == "RUNNING":
            self.client.update_run(self.id, status)
        else:
            self.client.set_terminated(self.id, status)


def connect(root: Path) -> "MlflowClient":
    """The store that MLFLOW_TRACKING_URI names; without it mlflow.db in the project's folder `root`."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when MLflow is imported
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # the address may hold a password
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # logs are no terminals
    from mlflow import MlflowClient

    return MlflowClient(os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{root.resolve()}/mlflow.db")


def has_store(root: Path) -> bool:
    """Whether there is a store to ask; without one `connect` makes an empty one."""
    return bool(os.environ.get("MLFLOW_TRACKING_URI")) or (root / "mlflow.db").exists()


@contextmanager
def answering() -> Iterator[None]:
    """Turn whatever MLflow and its store fail with into one line, an OutsideError without credentials."""
    from mlflow.exceptions import MlflowException
    from requests import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, RequestException, SQLAlchemyError, OSError) as error:
        # Not "from error": a traceback would show the address with its password.
        raise ExternalServiceError(f"MLflow: {reason(error)}; see that it runs, and try again") from None


def reason(error: Exception) -> str:
    """An error's first line, cut short, without the credentials that an address in it may hold."""
    line = (str(error) or type(error).__name__).splitlines()[0]
    return re.sub(r"://[^/@\s]+@", "://***@", line)[:200]


def open_run(root: Path, profile: str, variant: str, state: str) -> Run:
    """The run of a variant in a state of the pipeline, found by its tag or created."""
    client = connect(root)
    experiment = _experiment(client, root, f"splitpose-{profile}")
    if found := _search(client, [experiment], state):
        return Run(client, found)
    tags = {
        "splitpose.state": state,
        "splitpose.variant": variant,
        "splitpose.profile": profile,
        **_commit(root),
    }
    return Run(client, client.create_run(experiment, tags=tags, run_name=variant).info.run_id)


def find_run(root: Path, state: str) -> str | None:
    """The id of the run of a state of the pipeline, in whatever experiment, None if there is none."""
    if not has_store(root):
        return None
    client = connect(root)
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    return _search(client, experiments, state)


def _search(client: "MlflowClient", experiments: list[str], state: str) -> str | None:
    found = client.search_runs(experiments, f"tags.`splitpose.state` = '{state}'", max_results=1)
    return found[0].info.run_id if found else None


def _experiment(client: "MlflowClient", root: Path, name: str) -> str:
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        served = (os.environ.get("MLFLOW_TRACKING_URI") or "").startswith("http")
        folder = None if served else (root.resolve() / "mlartifacts").as_uri()  # a server knows its own place
        new: str = client.create_experiment(name, artifact_location=folder)
        return new
    if experiment.lifecycle_stage == "deleted":
        client.restore_experiment(experiment.experiment_id)
    known: str = experiment.experiment_id
    return known


def _commit(root: Path) -> dict[str, str]:
    """MLflow's tag of the git commit; none where there is no git."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=False)
    return {"mlflow.source.git.commit": done.stdout.strip()} if done.returncode == 0 else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _now() -> int:
    return int(time.time() * 1000)
