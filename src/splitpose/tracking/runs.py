"""MLflow runs: one experiment per profile, one run per variant and state, nothing logged twice."""

import hashlib
import json
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from splitpose.errors import ExternalServiceError
from splitpose.tracking import presentation
from splitpose.tracking.database import DATABASE
from splitpose.tracking.git import git
from splitpose.tracking.relocation import relocate

if TYPE_CHECKING:  # MLflow takes seconds to import
    from mlflow import MlflowClient

# MLflow reads these when it is imported, which only functions of this package do.
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")  # of MLflow and of Alembic, which creates its tables
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # the URL may contain a password
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # output may be a log file

HISTORY_METRICS = {
    "train_loss": "train/loss",
    "learning_rate": "train/learning_rate",
    "val_loss": "val/loss",
    "val_pck_0.2": "val/pck_0.2",
}
"""The metric of each column of a training history that is logged; the step is the column `iteration`."""

ORIGIN = "splitpose.origin"
"""Tag: whether the variant was trained for this run or restored from DVC's cache (see `provenance`)."""

MAX_METRICS, MAX_PARAMS = 1000, 100
"""Maximum numbers of metrics and parameters that MLflow accepts in one batch."""


@dataclass(frozen=True)
class Run:
    """An MLflow run. Logging the same values again changes nothing, because they are skipped."""

    client: "MlflowClient"
    id: str

    def log_history(self, rows: Iterable[Mapping[Any, Any]], prefix: str = "") -> None:
        """Log the rows of a training history whose iterations are not logged yet, with a prefix of the metrics."""
        from mlflow.entities import Metric

        first = prefix + next(iter(HISTORY_METRICS.values()))
        known = {metric.step for metric in self.client.get_metric_history(self.id, first)}
        now = _now()
        new = [row for row in rows if row["iteration"] not in known]
        metrics = [
            Metric(prefix + key, float(row[column]), now, int(row["iteration"]))
            for row in new
            for column, key in HISTORY_METRICS.items()
        ]
        for start in range(0, len(metrics), MAX_METRICS):
            self.client.log_batch(self.id, metrics=metrics[start : start + MAX_METRICS])

    def log_metrics(self, values: Mapping[str, float]) -> None:
        """Log metrics without steps."""
        from mlflow.entities import Metric

        known = self.client.get_run(self.id).data.metrics
        new = [Metric(key, value, _now(), 0) for key, value in values.items() if known.get(key) != value]
        self.client.log_batch(self.id, metrics=new)

    def log_params(self, values: Mapping[str, Any]) -> None:
        """Log parameters. Existing ones are skipped, because MLflow does not allow them to change."""
        from mlflow.entities import Param

        known = self.client.get_run(self.id).data.params
        new = [Param(key, _param_value(value)) for key, value in values.items() if key not in known]
        for start in range(0, len(new), MAX_PARAMS):
            self.client.log_batch(self.id, params=new[start : start + MAX_PARAMS])

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags of the run."""
        from mlflow.entities import RunTag

        known = self.client.get_run(self.id).data.tags
        new = [RunTag(key, value) for key, value in tags.items() if known.get(key) != value]
        self.client.log_batch(self.id, tags=new)

    def describe(self, text: str) -> None:
        """Set the description, unless the run has one: it may have been edited in MLflow's UI."""
        if presentation.DESCRIPTION not in self.client.get_run(self.id).data.tags:
            self.set_tags({presentation.DESCRIPTION: text})

    def set_origin(self, origin: str) -> None:
        """Set the origin of the run's results, unless it is set: a later call may only have restored them."""
        if ORIGIN not in self.client.get_run(self.id).data.tags:
            self.set_tags({ORIGIN: origin})

    def log_datasets(self, datasets: Iterable[Mapping[str, str]]) -> None:
        """Log datasets as inputs of the run; existing ones are skipped.

        Args:
            datasets: {"name", "digest", "context"} of each; the context is its use, for example "training".
        """
        from mlflow.entities import Dataset, DatasetInput, InputTag

        inputs = self.client.get_run(self.id).inputs
        known = {(one.dataset.name, one.dataset.digest) for one in inputs.dataset_inputs} if inputs else set()
        new = [
            DatasetInput(
                # The type "local" is MLflow's for files; the path is relative to the project.
                Dataset(one["name"], one["digest"], "local", json.dumps({"uri": one["name"]})),
                [InputTag("mlflow.data.context", one["context"])],
            )
            for one in datasets
            if (one["name"], one["digest"]) not in known
        ]
        if new:
            self.client.log_inputs(self.id, new)

    def log_artifacts(self, root: Path, files: Iterable[Path]) -> None:
        """Log files below `root` as artifacts with the same paths; if one has changed, log all of them again."""
        hashes = {str(file.relative_to(root)): hashlib.md5(file.read_bytes()).hexdigest() for file in files}
        known = self.client.get_run(self.id).data.tags.get("splitpose.files")
        digest = hashlib.md5(json.dumps(hashes, sort_keys=True).encode()).hexdigest()
        if known == digest and self.client.list_artifacts(self.id):
            return
        for path in hashes:
            folder = str(Path(path).parent)
            self.client.log_artifact(self.id, str(root / path), None if folder == "." else folder)
        self.set_tags({"splitpose.files": digest})

    def set_status(self, status: str) -> None:
        """Set the status: RUNNING, FINISHED, FAILED or KILLED."""
        if self.client.get_run(self.id).info.status == status:
            return
        if status == "RUNNING":
            self.client.update_run(self.id, status)
        else:
            self.client.set_terminated(self.id, status)


def metric_prefix(repeats: Sequence[int], repeat: int) -> str:
    """Return the prefix of a repeat's metrics: none if it is the only one, so that all runs can be compared."""
    return f"repeat_{repeat}/" if len(repeats) > 1 else ""


def connect(root: Path) -> "MlflowClient":
    """Return a client of the store that MLFLOW_TRACKING_URI names, by default mlflow.db in the project `root`.

    Paths in mlflow.db are updated first if the project was moved or copied.

    Raises:
        ExternalServiceError: they cannot be updated.
    """
    from mlflow import MlflowClient

    if uri := os.environ.get("MLFLOW_TRACKING_URI"):
        return MlflowClient(uri)
    relocate(root)
    return MlflowClient(f"sqlite:///{root.resolve()}/{DATABASE}")


def has_store(root: Path) -> bool:
    """Return whether there is a store to read; `connect` creates an empty one otherwise."""
    return bool(os.environ.get("MLFLOW_TRACKING_URI")) or (root / DATABASE).exists()


def shorten_timeouts() -> None:
    """Let requests to an MLflow server fail after seconds instead of minutes; the environment takes precedence."""
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")  # seconds
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise errors of MLflow and its store as ExternalServiceError, in one line and without credentials."""
    from mlflow.exceptions import MlflowException
    from requests import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, RequestException, SQLAlchemyError, OSError) as error:
        # Not "from error": its traceback would show the URL with the password.
        message = f"MLflow: {describe_error(error)}; check that the server is running, and try again"
        raise ExternalServiceError(message) from None


def describe_error(error: Exception) -> str:
    """Return the first line of an error, shortened, without the credentials in a URL."""
    line = (str(error) or type(error).__name__).splitlines()[0]
    return without_credentials(line)[:200]


def without_credentials(text: str) -> str:
    """Return a text in which the credentials of URLs are replaced by asterisks."""
    return re.sub(r"://[^/@\s]+@", "://***@", text)


def open_run(root: Path, profile: str, variant: str, state: str) -> Run:
    """Return the run of a variant in a state of the pipeline, which its tag identifies; create it if necessary."""
    client = connect(root)
    experiment = _experiment(client, root, experiment_name(profile))
    if run_id := _search(client, [experiment], state):
        return Run(client, run_id)
    tags = {
        "splitpose.state": state,
        "splitpose.variant": variant,
        "splitpose.profile": profile,
        presentation.COLOR: presentation.color(client, experiment, variant),
        **_git_commit(root),
    }
    start = _now()
    name = presentation.run_name(variant, state, start)
    return Run(client, client.create_run(experiment, start, tags, name).info.run_id)


def experiment_name(profile: str) -> str:
    """Return the name of a profile's experiment, which is that of its registered model, too."""
    return f"splitpose-{profile}"


def find_run(root: Path, state: str) -> str | None:
    """Return the id of the run of a state of the pipeline in any experiment, None if there is none."""
    if not has_store(root):
        return None
    client = connect(root)
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    return _search(client, experiments, state)


def _search(client: "MlflowClient", experiments: list[str], state: str) -> str | None:
    """Return the id of the run of a state in some experiments, None if there is none."""
    runs = client.search_runs(experiments, f"tags.`splitpose.state` = '{state}'", max_results=1)
    return runs[0].info.run_id if runs else None


def _experiment(client: "MlflowClient", root: Path, name: str) -> str:
    """Return the id of an experiment; create or restore it if necessary."""
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        is_server = (os.environ.get("MLFLOW_TRACKING_URI") or "").startswith("http")
        location = None if is_server else (root.resolve() / "mlartifacts").as_uri()  # a server has its own location
        return str(client.create_experiment(name, artifact_location=location))
    if experiment.lifecycle_stage == "deleted":
        client.restore_experiment(experiment.experiment_id)
    return str(experiment.experiment_id)


def _git_commit(root: Path) -> dict[str, str]:
    """Return MLflow's tag of the git commit, nothing outside a git repository."""
    commit = git(root, "rev-parse", "HEAD")
    return {} if commit is None else {"mlflow.source.git.commit": commit}


def _param_value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _now() -> int:
    """Return the time in milliseconds since the epoch."""
    return int(time.time() * 1000)
