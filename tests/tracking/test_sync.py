import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from support import toy_project, yaml
from support.toy_project import ROWS

from splitpose.errors import InputError
from splitpose.tracking import connect, lineage, live_run, open_runs, state, sync_runs

pytestmark = pytest.mark.integration

Content = dict[str, Any]
"""{"status", "metrics", "params", "tags"} of a run."""

Synced = tuple[Path, dict[str, str], dict[str, Content]]
"""A project, the ids of its runs, and the content of MLflow before the synchronisation."""

CURVES = {
    "train/loss": "train_loss",
    "val/loss": "val_loss",
    "val/pck_0.2": "val_pck_0.2",
    "train/learning_rate": "learning_rate",
}
"""The column of a training history that a metric contains."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A toy project after `dvc repro`; its stage fine_tune@plain-1 has logged rows 2 and 3 of its history."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path_factory.mktemp("dvc")))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        root = toy_project.write(tmp_path_factory.mktemp("toy") / "project")
        toy_project.repro(root)
        yield root


@pytest.fixture
def project(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished project without MLflow's files."""
    return Path(
        shutil.copytree(finished, tmp_path / "project", ignore=shutil.ignore_patterns("mlflow.db", "mlartifacts"))
    )


@pytest.fixture(scope="module")
def synced(finished: Path) -> Synced:
    """The finished project itself after the synchronisation."""
    before = contents(finished)
    return finished, sync_runs(finished), before


def contents(root: Path) -> dict[str, Content]:
    """Return the content of MLflow's database without times and ids by variant."""
    with sqlite3.connect(root / "mlflow.db") as database:
        runs = database.execute("select run_uuid, status from runs").fetchall()
        found = {}
        for run, status in runs:
            tags = database.execute("select key, value from tags where run_uuid = ?", [run])
            named = dict(tags.fetchall())
            name = named["splitpose.variant"]
            assert name not in found, "a second run of the same variant"
            metrics = database.execute("select key, step, value from metrics where run_uuid = ?", [run])
            params = database.execute("select key, value from params where run_uuid = ?", [run])
            found[name] = {
                "status": status,
                "metrics": sorted(metrics),
                "params": dict(params.fetchall()),
                "tags": named,
            }
    return found


def curve(content: Content, key: str) -> list[tuple[int, float]]:
    return [(step, value) for name, step, value in content["metrics"] if name == key]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def digests(root: Path) -> dict[str, str]:
    return {name: state.digest(state.workspace_entries(root, name), name) for name in toy_project.VARIANTS}


def test_state_is_equal_before_and_after_the_run(project: Path) -> None:
    entries = state.lock_entries(project)
    after = {name: state.digest(entries, name) for name in toy_project.VARIANTS}
    (project / "dvc.lock").unlink()
    shutil.rmtree(project / "models")  # as before the first run: only the data is there
    shutil.rmtree(project / "reports")
    assert digests(project) == after
    assert after["plain"] != after["fast"]


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("profiles/tiny.yaml", "iterations: 20", "iterations: 21", {"plain", "fast"}),
        ("params.yaml", "1.0e-5", "2.0e-5", {"fast"}),
        ("profiles/tiny.yaml", "unused: 1", "unused: 2", set()),
        ("data/crops/people.txt", "20", "21", {"plain", "fast"}),
        ("train.py", "# one", "# two", {"plain", "fast"}),
    ],
)
def test_state_depends_on_the_inputs_of_a_variant(
    project: Path, file: str, old: str, new: str, changed: set[str]
) -> None:
    before = digests(project)
    edit(project / file, old, new)
    after = digests(project)
    assert {name for name in before if before[name] != after[name]} == changed


def test_a_stage_logs_live_while_dvc_runs_it(synced: Synced) -> None:
    root, _, before = synced
    assert list(before) == ["plain"]
    assert before["plain"]["status"] == "RUNNING"
    assert before["plain"]["tags"]["splitpose.state"] == state.digest(state.lock_entries(root), "plain")
    for key, column in CURVES.items():
        assert curve(before["plain"], key) == [(row["iteration"], row[column]) for row in ROWS[1:]]


def test_sync_completes_every_variant(synced: Synced) -> None:
    root, runs, _ = synced
    assert list(runs) == ["plain", "fast"]
    now = contents(root)
    for variant in ("plain", "fast"):
        assert now[variant]["status"] == "FINISHED"
        for key, column in CURVES.items():
            assert curve(now[variant], key) == [(row["iteration"], row[column]) for row in ROWS]
        single = {key: value for key, _, value in now[variant]["metrics"] if key not in CURVES}
        assert single == {
            "test/pck_0.05_mean": 20.5, "test/pck_0.2_mean": 50.5, "test/auc_0.2_mean": 30.5,
            "val/best_pck_0.2": 50, "data/test_instances": 7,
            "device/parameters": 1000, "device/macs": 5000, "device/bytes_int8": 321, "device/p50_ms_int8": 1.5,
            "device/pck_0.2_mean_int8": 49.5,
        }  # fmt: skip
        assert now[variant]["params"]["source.people"] == "20"
        tags = now[variant]["tags"]
        assert tags["data"] == "synthetic"
        assert tags["device.cpu"] == "toy"
        assert tags["splitpose.repeat"] == "1"
        assert tags["splitpose.profile"] == "tiny"
        assert tags["data.crops"] == hash_of(root, "data/crops")
    rates = {variant: now[variant]["params"]["training.fine_tune.learning_rate"] for variant in now}
    assert rates == {"plain": "0.002", "fast": "1e-05"}


def test_restored_and_trained_variants_are_distinguished(synced: Synced) -> None:
    """Only one of the toy project's variants trains under live_run; the other looks restored from the cache."""
    root, *_ = synced
    tags = {name: run["tags"]["splitpose.origin"] for name, run in contents(root).items()}
    assert tags == {"plain": "trained", "fast": "restored from DVC's cache"}


def test_sync_logs_the_artifacts(synced: Synced) -> None:
    root, runs, _ = synced
    folder = root / "mlartifacts" / runs["fast"] / "artifacts"
    artifacts = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert artifacts == {
        "dvc.lock", "params.yaml", "profiles/tiny.yaml", "models/fast/int8.tflite", "reports/history/fast.csv",
        "reports/metrics/fast.json", "reports/predictions/fast.csv", "reports/parity/fast.json",
        "reports/decodings/fast.json", "reports/robustness/fast.json", "reports/cases/fast.jpg",
        "reports/benchmark/fast.json", "reports/figures/curves.png", "models/fast/repeats/1/history.csv",
        "reports/repeats/fast.json", "reports/repeat_predictions/fast/1.csv",
    }  # fmt: skip
    for name in artifacts:
        assert (folder / name).read_bytes() == (root / name).read_bytes()


def test_runs_are_presented_in_the_ui(synced: Synced) -> None:
    root, runs, _ = synced
    client = connect(root)
    experiment = client.get_experiment_by_name("splitpose-tiny")
    assert "test/ PCK" in experiment.tags["mlflow.note.content"]
    for variant, color in (("plain", "#0072b2"), ("fast", "#e69f00")):
        run = client.get_run(runs[variant])
        day = f"{datetime.fromtimestamp(run.info.start_time / 1000):%Y-%m-%d}"
        assert run.info.run_name == f"{variant} {day} {run.data.tags['splitpose.state'][:8]}"
        assert run.data.tags["mlflow.runColor"] == color
        assert "PCK@0.2 on 7 test instances: 50.5 %" in run.data.tags["mlflow.note.content"]
        (crops,) = run.inputs.dataset_inputs
        assert (crops.dataset.name, crops.dataset.digest) == ("data/crops", hash_of(root, "data/crops"))
        assert [(tag.key, tag.value) for tag in crops.tags] == [("mlflow.data.context", "training")]


def test_the_comparison_shows_the_present_runs(synced: Synced) -> None:
    root, runs, _ = synced
    client = connect(root)
    experiment = client.get_experiment_by_name("splitpose-tiny")
    view = json.loads(experiment.tags["mlflow.sharedViewState.comparison"])
    assert view["searchFilter"] == f"attributes.run_id IN ('{runs['plain']}', '{runs['fast']}')"
    found = client.search_runs([experiment.experiment_id], view["searchFilter"])
    assert {run.info.run_id for run in found} == set(runs.values())
    assert [section["name"] for section in view["compareRunSections"]] == ["test", "device", "val", "train", "data"]


def test_repeated_sync_changes_nothing(synced: Synced) -> None:
    root, runs, _ = synced

    def rows() -> dict[str, list[str]]:
        with sqlite3.connect(root / "mlflow.db") as database:
            tables = (
                "runs", "metrics", "latest_metrics", "params", "tags", "experiments", "experiment_tags", "datasets",
                "inputs", "input_tags",
            )  # fmt: skip
            return {table: sorted(map(str, database.execute(f"select * from {table}"))) for table in tables}

    def files() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in (root / "mlartifacts").rglob("*")}

    before, before_files = rows(), files()
    assert sync_runs(root) == runs
    assert rows() == before
    assert files() == before_files


def test_a_lost_database_is_restored(synced: Synced, project: Path) -> None:
    root, runs, _ = synced
    assert not (project / "mlflow.db").exists()
    assert set(sync_runs(project).values()).isdisjoint(runs.values())
    assert contents(project) == contents(root)


def test_unfinished_variants_are_named_and_the_others_synced(project: Path) -> None:
    edit(project / "dvc.lock", "benchmark@fast", "benchmark@gone")
    with pytest.raises(InputError, match=r"not all stages have run for fast; run the pipeline again"):
        sync_runs(project)
    assert contents(project)["plain"]["status"] == "FINISHED"
    assert "fast" not in contents(project)


@pytest.mark.parametrize(
    ("source", "version", "tag"),
    [("champion", "3", "champion, version 3"), ("a.h5", None, "a.h5"), (None, None, "none")],
)
def test_the_source_of_the_initial_weights_is_a_tag(project: Path, source, version, tag) -> None:
    folder = project / "models" / "plain" / "initial"
    folder.mkdir()
    record = {"initial_weights": {"source": source, "version": version, "sha256": None}}
    (folder / "initial.json").write_text(json.dumps(record))
    sync_runs(project, ["plain"])
    assert contents(project)["plain"]["tags"]["splitpose.initial_weights"] == tag


def test_only_the_requested_variants_are_synced(project: Path) -> None:
    edit(project / "dvc.lock", "benchmark@fast", "benchmark@gone")
    assert list(sync_runs(project, ["plain"])) == ["plain"]
    assert list(contents(project)) == ["plain"]
    with pytest.raises(InputError, match=r"not all stages have run for fast"):
        sync_runs(project, ["fast"])


def test_stages_of_different_runs_are_not_one_state(project: Path) -> None:
    entries = state.lock_entries(project)
    assert state.is_finished(entries, "plain")
    entries["evaluate@plain"]["deps"][0]["md5"] = "0" * 32  # scored with people who no longer exist
    assert not state.is_finished(entries, "plain")
    assert state.is_finished(entries, "fast")


def test_a_file_that_differs_from_the_lock_is_an_error(project: Path) -> None:
    edit(project / "reports" / "metrics" / "plain.json", "50.5", "99.9")
    with pytest.raises(InputError, match=r"metrics/plain.json: differs from dvc.lock"):
        sync_runs(project)


def test_a_lock_without_the_parity_is_an_error(project: Path) -> None:
    path = project / "dvc.lock"
    lock = yaml.safe_load(path.read_text())
    for variant in toy_project.VARIANTS:
        outs = lock["stages"][f"convert@{variant}"]["outs"]
        outs[:] = [out for out in outs if "parity" not in out["path"]]
    path.write_text(yaml.safe_dump(lock))
    with pytest.raises(
        InputError,
        match=r"dvc.lock: reports/parity/plain.json is not an output of any stage; run the pipeline again",
    ):
        sync_runs(project)


@pytest.fixture(scope="module")
def repeated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A toy project of one variant with the repeats 1 and 2 after `dvc repro`; dvc.lock has a repeat 3, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path_factory.mktemp("dvc")))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        root = toy_project.write(tmp_path_factory.mktemp("repeated") / "project")
        selection = {"selected": 1, "repeats": {"1": toy_project.SELECTION["repeats"]["1"]}}
        selection["repeats"]["2"] = {"seed": 8, "val_pck_0.2": 45.0, "val_loss": 0.25, "iteration": 20}
        (root / "inputs" / "selection.json").write_text(json.dumps(selection))
        (root / "params.yaml").write_text("profile: tiny\nrepeats: [1, 2]\nvariants: {plain: {}}\n")
        toy_project.repro(root)
        lock = yaml.safe_load((root / "dvc.lock").read_text())
        for stage in ("train_frozen", "fine_tune"):
            text = json.dumps(lock["stages"][f"{stage}@plain-2"]).replace("repeats/2", "repeats/3")
            lock["stages"][f"{stage}@plain-3"] = json.loads(text)
        (root / "dvc.lock").write_text(yaml.safe_dump(lock))
        yield root


def test_a_state_covers_the_listed_repeats(repeated: Path) -> None:
    entries = state.lock_entries(repeated)
    assert state.repeats(entries, "plain") == [1, 2]
    assert state.is_finished(entries, "plain")
    assert state.digest(entries, "plain") == state.digest(state.workspace_entries(repeated, "plain"), "plain")
    trained = {name for name in state.with_upstream(entries, "plain") if name.startswith("fine_tune@")}
    assert trained == {"fine_tune@plain-1", "fine_tune@plain-2"}
    entries["fine_tune@plain-3"]["outs"][0]["md5"] = "0" * 32
    assert state.is_finished(entries, "plain")
    entries["fine_tune@plain-2"]["outs"][0]["md5"] = "0" * 32  # trained again, but not selected again
    assert not state.is_finished(entries, "plain")
    del entries["fine_tune@plain-2"]
    assert not state.is_finished(entries, "plain")


def test_the_outputs_of_a_former_stage_belong_to_the_present_one(repeated: Path) -> None:
    entries = state.lock_entries(repeated)
    (weights, *_) = entries["select@plain"]["outs"]
    entries["fine_tune@plain"] = {"outs": [{**weights, "md5": "0" * 32}]}  # as before there were repeats
    assert "fine_tune@plain" not in state.with_upstream(entries, "plain")
    assert state.is_finished(entries, "plain")


def test_the_results_of_every_repeat_are_logged_in_one_run(repeated: Path) -> None:
    live = contents(repeated)["plain"]
    for repeat in (1, 2):
        assert curve(live, f"repeat_{repeat}/val/loss") == [(row["iteration"], row["val_loss"]) for row in ROWS[1:]]
    assert curve(live, "val/loss") == []  # no repeat is selected yet
    sync_runs(repeated)
    now = contents(repeated)["plain"]
    for prefix in ("", "repeat_1/", "repeat_2/"):
        for key, column in CURVES.items():
            assert curve(now, prefix + key) == [(row["iteration"], row[column]) for row in ROWS]
    assert now["tags"]["splitpose.repeat"] == "1"
    assert now["params"]["repeats"] == "[1, 2]"


def test_runs_can_be_created_before_training_starts(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_runs(project, ["plain"])
    open_runs(project, ["plain", "fast"])
    assert {name: run["status"] for name, run in contents(project).items()} == {
        "plain": "RUNNING",
        "fast": "RUNNING",
    }
    assert sync_runs(project).keys() == {"plain", "fast"}
    assert {run["status"] for run in contents(project).values()} == {"FINISHED"}


def test_without_mlflow_a_warning_is_printed_instead_of_creating_runs(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # no server listens there
    for key in ("MLFLOW_HTTP_REQUEST_TIMEOUT", "MLFLOW_HTTP_REQUEST_MAX_RETRIES"):
        monkeypatch.setenv(key, "1")
    open_runs(project, ["plain"])
    assert capsys.readouterr().err.startswith("warning: MLflow logging stopped: ")


def test_a_changed_prediction_of_a_repeat_is_an_error(project: Path) -> None:
    edit(project / "reports" / "repeat_predictions" / "plain" / "1.csv", "id", "name")
    with pytest.raises(InputError, match=r"repeat_predictions/plain: differs from dvc.lock"):
        sync_runs(project)


def test_sync_before_the_first_run_reports_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"dvc.lock: no such file; run the pipeline first"):
        sync_runs(toy_project.write(tmp_path))


@pytest.fixture
def as_stage(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set the environment of a stage that DVC runs."""
    monkeypatch.chdir(project)
    monkeypatch.setenv("DVC_ROOT", str(project))
    monkeypatch.setenv("DVC_STAGE", "fine_tune@plain-1")
    for key in ("MLFLOW_HTTP_REQUEST_TIMEOUT", "MLFLOW_HTTP_REQUEST_MAX_RETRIES"):
        monkeypatch.setenv(key, "1")
    return project


def test_a_training_that_failed_continues_its_run(as_stage: Path) -> None:
    with pytest.raises(KeyError), live_run("plain") as log:
        log(ROWS[0])
        log(ROWS[1])
        raise KeyError
    assert contents(as_stage)["plain"]["status"] == "FAILED"
    with live_run("plain") as log:
        for row in ROWS:
            log(row)
    now = contents(as_stage)["plain"]
    assert now["status"] == "RUNNING"
    for key, column in CURVES.items():
        assert curve(now, key) == [(row["iteration"], row[column]) for row in ROWS]


def test_training_continues_without_mlflow(
    as_stage: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # no server listens there
    trained = []
    with live_run("plain") as log:
        for row in ROWS:
            log(row)
            trained.append(row)
    assert trained == ROWS
    warnings = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning: MLflow")]
    assert len(warnings) == 1


def test_a_manually_run_stage_is_not_logged(as_stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DVC_STAGE")
    with live_run("plain") as log:
        log(ROWS[0])
    assert not (as_stage / "mlflow.db").exists()


def test_a_named_store_is_used(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/elsewhere.db")
    assert connect(project).search_experiments() != []
    assert (tmp_path / "elsewhere.db").exists()
    assert not (project / "mlflow.db").exists()
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_mlflow_logs_warnings_only(project: Path) -> None:
    code = "import sys; from pathlib import Path; from splitpose.tracking import sync_runs; sync_runs(Path.cwd())"
    result = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True)
    assert (project / "mlflow.db").exists()
    assert (result.stdout, result.stderr) == ("", "")


def hash_of(root: Path, path: str) -> str:
    """Return DVC's hash of an output."""
    outs = [out for stage in state.lock_entries(root).values() for out in stage["outs"]]
    (found,) = (out["md5"] for out in outs if out["path"] == path)
    return str(found)


def test_lineage_of_every_variant(synced: Synced) -> None:
    root, runs, _ = synced
    facts = lineage(root, ["plain", "fast"])
    data = {file: hash_of(root, file) for file in ("data/crops", "data/people.txt")}
    assert facts["all variants"] == {"git commit": "no git", **data}
    digest = state.digest(state.lock_entries(root), "fast")
    files = (
        "models/fast/repeats/1/frozen.weights.h5",
        "models/fast/repeats/1/final.weights.h5",
        "models/fast/repeats/1/history.csv",
        "models/fast/final.weights.h5",
        "models/fast/int8.tflite",
        "reports/predictions/fast.csv",
    )
    assert facts["fast"] == {
        "MLflow run": runs["fast"],
        "state (MLflow's tag splitpose.state)": digest,
        **{file: hash_of(root, file) for file in files},
    }
    assert facts["plain"]["MLflow run"] == runs["plain"]


def test_lineage_creates_no_database(project: Path) -> None:
    assert lineage(project, ["plain"])["plain"]["MLflow run"] == "none yet"
    assert not (project / "mlflow.db").exists()


def test_lineage_of_a_state_without_a_run(synced: Synced, monkeypatch: pytest.MonkeyPatch) -> None:
    root, _, _ = synced
    monkeypatch.setattr(state, "digest", lambda entries, variant: "another state")
    assert lineage(root, ["plain"])["plain"]["MLflow run"] == "none yet"


def test_lineage_without_a_response_from_mlflow(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # no server listens there
    for key in ("MLFLOW_HTTP_REQUEST_TIMEOUT", "MLFLOW_HTTP_REQUEST_MAX_RETRIES"):
        monkeypatch.setenv(key, "1")
    facts = lineage(project, ["plain"])["plain"]
    assert facts["MLflow run"].startswith("not available: ")
    assert "\n" not in facts["MLflow run"]
    assert len(facts) == 8


def test_lineage_before_the_first_run(project: Path) -> None:
    (project / "dvc.lock").unlink()
    assert lineage(project, ["plain"]) == {
        "all variants": {
            "git commit": "no git",
            "dvc.lock": f"{project / 'dvc.lock'}: no such file; run the pipeline first",
        }
    }


def test_lineage_of_an_unfinished_variant(project: Path) -> None:
    edit(project / "dvc.lock", "benchmark@fast", "benchmark@gone")
    facts = lineage(project, ["plain", "fast"])
    assert facts["fast"] == {"dvc.lock": "not all stages of this variant were run by DVC"}
    assert "models/plain/final.weights.h5" in facts["plain"]


def test_lineage_reports_uncommitted_changes(project: Path) -> None:
    def git(*words: str) -> str:
        me = ("-c", "user.name=me", "-c", "user.email=me@localhost")
        done = subprocess.run(["git", *me, *words], cwd=project, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def git_commit() -> str:
        return lineage(project, ["plain"])["all variants"]["git commit"]

    git("init", "--quiet")
    git("add", "dvc.yaml", "dvc.lock", "params.yaml", "profiles")
    git("commit", "--quiet", "--message", "all")
    head = git("rev-parse", "HEAD")
    assert git_commit() == head
    edit(project / "dvc.lock", "schema: '2.0'", "schema: '2.0'  # written while the report is built")
    (project / "new.txt").write_text("not tracked")
    assert git_commit() == head
    edit(project / "params.yaml", "1.0e-5", "2.0e-5")
    assert git_commit() == f"{head} with uncommitted changes"
