"""How runs and models appear in MLflow's UI: names, colours, descriptions and the mark of champions.

All functions can be repeated. A name or a description that was edited in the UI is kept.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # MLflow takes seconds to import
    from mlflow import MlflowClient

    from splitpose.tracking.model_registry import RegisteredVersion

COLOR = "mlflow.runColor"
"""MLflow's tag of a run: the colour of its curves and bars."""
DESCRIPTION = "mlflow.note.content"
"""MLflow's tag of an experiment or a run: the description."""
VARIANT_COLOR = "splitpose.color."
"""Tag of an experiment, followed by a variant: the variant's colour."""
PROMOTION = "splitpose.promotion"
"""Tag of a model version and of its run: CHAMPION_MARK, or FORMER_MARK if it was champion before."""
CHAMPION_MARK, FORMER_MARK = "champion", "former champion"

COMPARISON_VIEW = "comparison"
"""Key of the view of the UI that compares the present runs."""
SHARED_VIEW = "mlflow.sharedViewState."
"""Tag of an experiment, followed by a key: a view that MLflow's UI saves as JSON for its button "Share"."""
SECTIONS = {"test": True, "device": True, "val": True, "train": False, "data": False}
"""The chart sections of the comparison in order, named after the prefixes of metrics, and whether they are open."""

PALETTE = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7f7f7f", "#8c564b", "#bcbd22", "#000000",
)  # fmt: skip
"""The colours of variants in the order in which they first appear; the first six are Okabe and Ito's (2008)."""

EXPERIMENT = """\
Upper-body pose models, {name}: one run for each variant and state of the pipeline \
(code, parameters and data).

Metrics: test/ PCK and AUC in % on the test split; val/ and train/ curves of the selected repeat; device/ size in \
bytes, p50 latency in ms and PCK of the TFLite files on the device that the tags device.* describe; data/ numbers \
of person instances. All other results are files in the artifacts of each run, in reports/.
"""
MODEL = """\
Upper-body pose models, {name}: TFLite files with their Keras weights. Aliases: champion is the model in use, \
challenger the version that was registered last, reference a fixed version that all challengers are compared with.
"""


def run_name(variant: str, state: str, start: int) -> str:
    """Return the name of a run, for example "final 2026-11-28 5fff02ae".

    Args:
        variant: the variant.
        state: the hash of the pipeline's state.
        start: start of the run in milliseconds since the epoch.
    """
    return f"{variant} {datetime.fromtimestamp(start / 1000):%Y-%m-%d} {state[:8]}"


def color(client: "MlflowClient", experiment: str, variant: str) -> str:
    """Return the colour of a variant in an experiment; a new variant receives the first unused one."""
    tags = client.get_experiment(experiment).tags
    key = f"{VARIANT_COLOR}{variant}"
    if key not in tags:
        used = [value for name, value in tags.items() if name.startswith(VARIANT_COLOR)]
        unused = [value for value in PALETTE if value not in used]
        tags[key] = unused[0] if unused else PALETTE[len(used) % len(PALETTE)]
        client.set_experiment_tag(experiment, key, tags[key])
    return str(tags[key])


def update(client: "MlflowClient", name: str) -> None:
    """Describe the experiment and the registered model of a name, and complete what earlier releases created.

    If there is no such experiment, nothing is changed.
    """
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        return
    if DESCRIPTION not in experiment.tags:
        client.set_experiment_tag(experiment.experiment_id, DESCRIPTION, EXPERIMENT.format(name=name))
    _complete_runs(client, experiment.experiment_id)
    for model in client.search_registered_models(f"name='{name}'"):
        if not model.description:
            client.update_registered_model(name, describe_model(name))
        for version in client.search_model_versions(f"name='{name}'"):
            if not version.description:
                client.update_model_version(name, version.version, describe_version(version.tags))


def save_comparison(client: "MlflowClient", name: str, runs: Sequence[str]) -> None:
    """Save the view of an experiment that compares runs in charts, unless it is saved already.

    Args:
        client: a client of the store.
        name: name of the experiment.
        runs: the ids of the runs.
    """
    view = {
        "searchFilter": f"attributes.run_id IN ({', '.join(repr(run) for run in runs)})",
        "compareRunCharts": [],  # MLflow adds one chart for each metric
        "compareRunSections": [
            {"uuid": section, "name": section, "display": is_open, "isReordered": True, "isGenerated": True}
            for section, is_open in SECTIONS.items()
        ],
        "isAccordionReordered": True,
    }
    experiment = client.get_experiment_by_name(name)
    key, value = f"{SHARED_VIEW}{COMPARISON_VIEW}", json.dumps(view)
    if experiment is not None and experiment.tags.get(key) != value:
        client.set_experiment_tag(experiment.experiment_id, key, value)


def _complete_runs(client: "MlflowClient", experiment: str) -> None:
    """Give the runs of earlier releases, which are named after their variant, a name and a colour."""
    token: str | None = None
    while True:
        page = client.search_runs([experiment], "tags.`splitpose.state` != ''", page_token=token)
        for run in page:
            tags, variant = run.data.tags, run.data.tags["splitpose.variant"]
            if run.info.run_name == variant:
                name = run_name(variant, tags["splitpose.state"], run.info.start_time)
                client.update_run(run.info.run_id, name=name)
            if COLOR not in tags:
                client.set_tag(run.info.run_id, COLOR, color(client, experiment, variant))
        token = page.token
        if not token:
            return


def describe_model(name: str) -> str:
    """Return the description of the registered model of this name."""
    return MODEL.format(name=name)


def describe_version(tags: Mapping[str, str]) -> str:
    """Return the description of a model version with these tags."""
    variant, precision = (tags.get(f"splitpose.{key}", "unknown") for key in ("variant", "precision"))
    return (
        f"TFLite file of the variant {variant}, precision {precision}. Its run has the training curves and all "
        "results; the tags splitpose.decision.* contain the decisions about this version with their reasons."
    )


def mark_champions(
    client: "MlflowClient", name: str, versions: Iterable["RegisteredVersion"], champions: Sequence[str]
) -> None:
    """Mark the present and former champions among the versions, and the runs that they belong to.

    Args:
        client: a client of the store.
        name: name of the registered model.
        versions: all its versions.
        champions: the numbers of the champions, the present one last; if there are none, nothing is changed.
    """
    if not champions:
        return
    marks: dict[str, str] = {}
    for version in versions:
        known = version.tags.get(PROMOTION)
        if version.number not in champions and known is None:
            continue
        mark = CHAMPION_MARK if version.number == champions[-1] else FORMER_MARK
        if known != mark:
            client.set_model_version_tag(name, version.number, PROMOTION, mark)
        if version.run and marks.get(version.run) != CHAMPION_MARK:
            marks[version.run] = mark
    for run, mark in marks.items():
        _mark_run(client, run, mark)


def _mark_run(client: "MlflowClient", run: str, mark: str) -> None:
    """Mark a run, unless it has been deleted: a version may outlive its run."""
    from mlflow.exceptions import MlflowException

    try:
        if client.get_run(run).data.tags.get(PROMOTION) != mark:
            client.set_tag(run, PROMOTION, mark)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
