import itertools
import json
import re
import shutil
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from splitpose import annotations
from splitpose.data.training_groups import TrainingGroups
from splitpose.errors import InputError
from splitpose.inference.pose_model import PoseModel
from splitpose.promotion import candidate, gate
from splitpose.promotion.gate import Opponent

pytestmark = pytest.mark.integration

WRISTS = ("lwri", "rwri")
"""Without them 9 of 11 joints are correct: 81.818 %."""


@pytest.fixture
def evaluate(project, profile, fake_device):
    """Return a function that runs the gate on files of the project after writing the challenger's parity.

    The champion and the reference are files, or the reason why the file is not available.
    """

    def opponent(file):
        return file if file is None else Opponent(file) if isinstance(file, Path) else Opponent(None, file)

    def evaluate(challenger, champion=None, reference=None):
        project.write_parity(challenger)
        return gate.evaluate(project.root, profile, challenger, opponent(champion), opponent(reference))

    return evaluate


def results(decision):
    return {check.name: (check.passed, check.value) for check in decision.checks}


def test_a_first_champion_must_beat_the_mean_pose(evaluate, file):
    # every instance has the mean pose, so a model that finds every joint scores the same
    decision = evaluate(file())
    assert decision.promote
    assert decision.reason == (
        "all 6 checks passed; deciding check above_mean_pose: mean PCK@0.2 on all 40 test instances is 100.0 "
        "against the mean pose's 100.0: no difference (95 % interval +0.0 to +0.0); at least 0 points higher is "
        "required"
    )
    assert results(decision)["p95_ms"] == (True, 2.0)
    without_nose = evaluate(file(lost=["nose"]))
    assert not without_nose.promote
    assert results(without_nose)["above_mean_pose"] == (False, -9.091)


def test_a_champion_of_another_size_and_padding_is_scored_by_its_own_metadata(evaluate, file):
    decision = evaluate(file(size=32, padding=1.5), champion=file(size=48, padding=3.0))
    assert results(decision)["pck"] == (True, 0.0)
    assert "on all 40 test instances is 100.0 against the champion's 100.0" in decision.reason
    assert decision.promote


def test_a_worse_model_is_not_promoted_and_a_better_one_is(evaluate, file):
    worse = evaluate(file(lost=WRISTS), champion=file())
    assert not worse.promote
    assert results(worse)["pck"] == results(worse)["slices"][:1] + (-18.182,) == (False, -18.182)
    assert worse.reason == (
        "the check pck failed: mean PCK@0.2 on all 40 test instances is 81.8 against the champion's 100.0: 18.2 "
        "points lower (95 % interval -18.2 to -18.2); at most 0.5 points lower is allowed; the check slices "
        "failed, too"
    )
    better = evaluate(file(), champion=file(lost=WRISTS))
    assert better.promote and results(better)["pck"] == (True, 18.182)


def test_a_loss_in_few_instances_shows_in_their_slice(evaluate, file, project):
    table = annotations.read(project.table)
    joints = annotations.joints_of(table)
    joints[:, [2, 5]] += np.where(np.arange(len(table)) < 32, 0, 1000)[:, None, None]  # no model finds these wrists
    project.write_table(annotations.with_joints(table, joints))
    decision = evaluate(file(lost=["lwri"]), champion=file())
    pck, slices = (check for check in decision.checks if check.name in ("pck", "slices"))
    assert pck.value == pytest.approx(-100 / 11 * 30 / 40, abs=1e-3)
    assert slices.value < pck.value and "left joints" in slices.text


def test_only_instances_that_both_crop_policies_accept_are_compared(evaluate, file):
    # 10 of the 40 have no bounding box
    for challenger, champion in (("bbox", "joints"), ("joints", "bbox")):
        decision = evaluate(file(region_from=challenger), champion=file(region_from=champion))
        every = (
            "the 30 of 40 test instances that every model can crop"
            if champion == "bbox"
            else "all 30 test instances"
        )
        assert f"on {every} is 100.0 against the champion's 100.0" in decision.reason
    assert "on all 40 test instances" in evaluate(file(padding=2.0), champion=file()).reason


def test_the_present_test_instances_count(evaluate, file, project):
    table = annotations.read(project.table)
    project.write_table(table[:20])
    assert "on all 18 test instances" in evaluate(file(padding=2.0), champion=file()).reason


def test_the_champions_own_file_is_not_promoted_again(evaluate, file, tmp_path):
    shutil.copy(file(), tmp_path / "champion.tflite")
    decision = evaluate(file(), champion=tmp_path / "champion.tflite")
    assert (decision.promote, decision.checks) == (False, [])
    assert decision.reason == "the challenger is the same file as the champion, so there is nothing to compare"


NOT_COMPARABLE = [
    (lambda file: b"", r"its file: not a TFLite file that runs here"),
    (lambda file: file().read_bytes()[:1000], r"its file: not a TFLite file that runs here"),
    (lambda file: file(with_metadata=False).read_bytes(), r"its file: has no splitpose metadata"),
    (lambda file: file(viewpoint="person").read_bytes(), r"its left and right are the person's"),
    (lambda file: file().read_bytes().replace(b'"nose"]', b'"chin"]'), r"its file: predicts other joints"),
    (lambda file: file(output="heatmaps").read_bytes(), r"its file: does not match its metadata"),
    (lambda file: file().read_bytes().replace(b'"rules":[]', b'"rules":{}'), None),
    (lambda file: file().read_bytes().replace(b'"listed":"', b'"listed":3'), r"its file: metadata cannot be read"),
    (
        lambda file: file().read_bytes().replace(b'"complete":true', b'"complets":true'),
        r"its file: the record of the training groups is damaged",
    ),
]
"""Files, and the reasons why they cannot be compared, None if they can be."""


@pytest.mark.parametrize("name", ["champion", "reference"])
@pytest.mark.parametrize(("damage", "reason"), NOT_COMPARABLE)
def test_nothing_is_promoted_if_the_champion_or_the_reference_cannot_be_compared(
    evaluate, file, tmp_path, name, damage, reason, fake_device
):
    path = tmp_path / f"{name}.tflite"
    path.write_bytes(damage(file))
    decision = evaluate(file(padding=2.0), **{"champion": file(), name: path})
    assert decision.promote is decision.is_comparable is (reason is None)
    if reason:
        assert re.fullmatch(
            rf"the {name} cannot be compared \({reason}.*\); restore it, or choose .*"
            rf"`splitpose promote{' --reference' if name == 'reference' else ''}`",
            decision.reason,
        )
        assert (decision.checks, fake_device.runs) == ([], [])
    assert "\n" not in decision.reason and str(tmp_path) not in decision.reason


@pytest.mark.parametrize("name", ["champion", "reference"])
def test_nothing_is_promoted_without_the_file_of_the_champion_or_the_reference(evaluate, file, name):
    decision = evaluate(
        file(padding=2.0), **{"champion": file(), name: "version 1: its file is\nmissing from run 2"}
    )
    assert (decision.promote, decision.checks, decision.is_comparable) == (False, [], False)
    assert decision.reason.startswith(
        f"the {name} cannot be compared (version 1: its file is missing from run 2); "
    )


def test_nothing_is_promoted_if_the_champion_requires_boxes_and_there_are_none(evaluate, file, project):
    project.write_table(annotations.read(project.table).assign(**dict.fromkeys(annotations.BOX_COLUMNS, np.nan)))
    decision = evaluate(file(), champion=file(region_from="bbox"))
    assert not decision.promote
    assert "cannot be compared (annotation table: split train has no rows with a box" in decision.reason


def test_a_loss_against_the_reference_blocks_the_challenger(evaluate, file):
    decision = evaluate(file(lost=WRISTS), champion=file(lost=[*WRISTS, "nose"]), reference=file())
    assert not decision.promote
    checks = results(decision)
    assert (checks["pck"], checks["reference"]) == ((True, 9.091), (False, -18.182))
    assert (
        "the check reference failed: mean PCK@0.2 on all 40 test instances is 81.8 against the reference's"
        in decision.reason
    )


def test_the_reference_is_not_measured_twice_if_it_is_the_champion(evaluate, file, tmp_path, monkeypatch):
    predicted = []
    predict = PoseModel.predict_instances
    monkeypatch.setattr(
        PoseModel, "predict_instances", lambda model, *rest: predicted.append(model) or predict(model, *rest)
    )
    shutil.copy(file(lost=["nose"]), tmp_path / "reference.tflite")
    decision = evaluate(file(), champion=file(lost=["nose"]), reference=tmp_path / "reference.tflite")
    assert len(predicted) == 2
    assert results(decision)["reference"] == results(decision)["pck"] == (True, 9.091)
    evaluate(file(), champion=file(lost=["nose"]), reference=file(lost=WRISTS))
    assert len(predicted) == 2 + 3


def test_the_reference_is_not_timed(evaluate, file, fake_device):
    evaluate(file(), champion=file(padding=2.0), reference=file(lost=WRISTS))
    assert set(fake_device.runs) == {file().stem, file(padding=2.0).stem}


@pytest.mark.parametrize("leaked_into", ["challenger", "champion", "reference"])
def test_a_leak_is_found(evaluate, file, leaked_into, project, profile):
    """Two of the ten test films were used to train one of the models: 8 of 40 instances."""
    leak = TrainingGroups.of(
        annotations.read(project.table).query("group in ['film 3', 'film 7']").assign(split="train"), profile
    )
    files = {"challenger": file(), "champion": file(padding=2.0), "reference": file(lost=WRISTS)}
    changes = {"challenger": {}, "champion": {"padding": 2.0}, "reference": {"lost": WRISTS}}
    files[leaked_into] = file(**changes[leaked_into], groups=leak)
    decision = evaluate(**files)
    check = next(check for check in decision.checks if check.name == "unseen_instances")
    assert (check.passed, check.value, check.limit) == (True, 32, 10)
    assert f"8 are in groups that a model was trained on ({leaked_into} 8)" in check.text
    assert "on the 32 of 40 test instances that none of the models was trained on is" in decision.reason
    assert decision.promote and decision.warnings == []


def test_a_leak_into_a_first_champion_is_found(evaluate, file, project, profile):
    leak = TrainingGroups.of(
        annotations.read(project.table).query("group == 'film 3'").assign(split="val"), profile
    )
    assert (
        "on the 36 of 40 test instances that the challenger was not trained on"
        in evaluate(file(groups=leak)).reason
    )


@pytest.mark.parametrize(("films", "remaining"), [(8, 8), (10, 0)])
def test_too_few_unseen_instances_are_refused_without_a_measurement(
    evaluate, file, project, profile, fake_device, films, remaining
):
    table = annotations.read(project.table)
    seen = table[table["group"].isin([f"film {number}" for number in range(films)])]
    leak = TrainingGroups.of(seen.assign(split="train"), profile)
    decision = evaluate(file(groups=leak), champion=file(padding=2.0))
    assert (decision.promote, decision.is_comparable, fake_device.runs) == (False, True, [])
    assert results(decision) == {"unseen_instances": (False, remaining)}
    assert decision.reason == (
        f"the check unseen_instances failed: the {remaining} of 40 test instances that neither model was trained "
        f"on can be compared; {40 - remaining} are in groups that a model was trained on (challenger "
        f"{40 - remaining}); at least 10 are required"
    )


def test_models_without_a_record_are_compared_with_a_warning(evaluate, file):
    decision = evaluate(file(), champion=file(padding=2.0, groups=None))
    warning = (
        "the champion has no record of the groups that it was trained on; test instances that it has seen may be "
        "among the compared ones"
    )
    assert decision.promote
    assert decision.warnings == [warning]


def test_the_messages_of_limits_that_are_exceeded(project, profile, fake_device, file):
    """The champion and the challenger are real files of different sizes; the device is a fake, and so is parity."""
    challenger, champion = file(padding=2.0, viewpoint="observer"), file(lost=WRISTS)
    sizes = challenger.stat().st_size, champion.stat().st_size
    fake_device.times = {challenger.stem: itertools.repeat(7.5), champion.stem: itertools.repeat(5.0)}
    project.write_parity(challenger, tflite=89.0, keras=95.25)
    limits = {"max_p95_ms": 6.0, "max_bytes": 1000, "max_size_ratio": 0.5}
    strict = profile.model_copy(update={"gate": profile.gate.model_copy(update=limits)})
    decision = gate.evaluate(project.root, strict, challenger, Opponent(champion))
    texts = {check.name: check.text for check in decision.checks if not check.passed}
    size_ratio = f"{round(sizes[0] / sizes[1], 3):g}"
    assert texts == {
        "p95_ratio": "p95 latency on the target local is 7.5 ms, 1.5 times the champion's 5 ms; at most 1.2 times "
        "is allowed",
        "size_ratio": f"the file has {sizes[0]:,} bytes, {size_ratio} times the champion's {sizes[1]:,}; at most "
        "0.5 times is allowed",
        "parity": "mean PCK@0.2 on all 40 test instances is 89.0 for the TFLite file and 95.2 for its Keras model: "
        "6.2 points lower; at most 0.5 points lower is allowed",
        "p95_ms": "p95 latency on the target local is 7.5 ms; at most 6 ms is allowed",
        "bytes": f"the file has {sizes[0]:,} bytes; at most 1,000 bytes is allowed",
    }
    assert decision.reason == (
        f"the check p95_ratio failed: {texts['p95_ratio']}; the checks size_ratio, parity, p95_ms and bytes "
        "failed, too"
    )
    assert decision.metrics is not None
    assert decision.metrics["models"] == {
        "challenger": {"pck_0.2_mean": 100.0, "p95_ms": 7.5, "bytes": sizes[0]},
        "champion": {"pck_0.2_mean": 81.818, "p95_ms": 5.0, "bytes": sizes[1]},
    }


def test_gate_and_parity_name_their_own_evaluation_sets(evaluate, file, project, profile):
    """Parity is measured on all 40 test instances; the champion was trained on 8 of them."""
    table = annotations.read(project.table)
    leak = TrainingGroups.of(table[table["group"].isin(["film 3", "film 7"])].assign(split="train"), profile)
    decision = evaluate(file(), champion=file(padding=2.0, groups=leak))
    texts = {check.name: check.text for check in decision.checks}
    assert texts["pck"] == (
        "mean PCK@0.2 on the 32 of 40 test instances that neither model was trained on is 100.0 against the "
        "champion's 100.0: no difference (95 % interval +0.0 to +0.0)"
    )
    assert texts["parity"].startswith(
        "mean PCK@0.2 on all 40 test instances is 95.0 for the TFLite file and 95.2 for"
    )


def test_a_damaged_challenger_is_an_error(evaluate, tmp_path, file):
    path = tmp_path / "challenger.tflite"
    path.write_bytes(file().read_bytes()[:1000])
    with pytest.raises(InputError, match=r"challenger\.tflite: not a TFLite file that runs here"):
        evaluate(path, champion=file())


@pytest.mark.parametrize("champion", [False, True])
def test_no_test_instances(evaluate, file, project, champion):
    table = annotations.read(project.table)
    project.write_table(table[table["split"] != "test"])
    with pytest.raises(InputError, match="annotation table: split test has no rows at all") as raised:
        evaluate(file(), champion=file(padding=2.0) if champion else None)
    assert "\n" not in str(raised.value)


def test_no_torso(evaluate, file, project):
    project.write_table(annotations.read(project.table).assign(lsho_x=np.nan, lsho_y=np.nan))
    with pytest.raises(InputError, match="no instance of the split 'test' has both lsho and rhip; annotate them"):
        evaluate(file())


def test_a_missing_image(evaluate, file, project):
    (project.root / "data" / "raw" / "7.png").unlink()
    with pytest.raises(InputError, match=r"raw/7\.png: no such"):
        evaluate(file())


def test_an_unreachable_device_is_an_error(evaluate, file, profile, monkeypatch):
    class Unreachable:
        def run(self, model, inputs, options):
            raise InputError("ssh://user@host: cannot be reached")

    monkeypatch.setattr("splitpose.promotion.measurements.open_target", lambda name: nullcontext(Unreachable()))
    with pytest.raises(InputError, match="cannot be reached"):
        evaluate(file(padding=2.0), champion=file())


def test_annotations_that_failed_their_checks(evaluate, file, project):
    project.checks.write_text(json.dumps({"passed": False, "failures": ["too few films", "no test instances"]}))
    decision = evaluate(file())
    assert not decision.promote
    assert decision.reason.endswith("the annotations failed validation: too few films; no test instances")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("parity", None, r"parity/final\.json: no such file; the stage convert writes it"),
        ("parity", "{", r"parity/final\.json: not valid JSON"),
        ("parity", "{}", r"parity/final\.json: int8: KeyError\('int8'\); run the stage convert again"),
        (
            "parity",
            '{"int8": {"bytes": 1, "pck_0.2_mean": 9, "keras_pck_0.2_mean": 9, "test_instances": 3}}',
            r"does not belong to",
        ),
        ("parity", '{"int8": {"bytes": 1, "pck_0.2_mean": null, "keras_pck_0.2_mean": 9}}', r"int8: TypeError"),
        ("checks", None, r"checks\.json: no such file; the stage validate writes it"),
        ("checks", "{}", r"checks\.json: KeyError\('passed'\); run the stage validate again"),
        ("table", None, r"annotations\.parquet: no such annotation table"),
    ],
)
def test_missing_and_damaged_files_are_named(project, profile, fake_device, file, name, content, message):
    project.write_parity(file())
    path = getattr(project, name)
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(InputError, match=message) as raised:
        gate.evaluate(project.root, profile, file(), None)
    assert "\n" not in str(raised.value)


def test_predictions_belong_to_the_image_and_instance(file, project, profile):
    """The dot is found in every image, so the right image is read, with its channels in order."""
    table = annotations.read(project.table)
    loaded = candidate.load(file(size=64))
    joints = loaded.model.predict_instances(loaded.instances(table, profile.crops), project.root / "data")
    np.testing.assert_allclose(joints, annotations.joints_of(table), atol=1.0)


def test_two_files_are_timed_on_this_machine(project, profile, file):
    """The device is not a fake."""
    quick = profile.benchmark.model_copy(update={"runs": 300, "warmup_runs": 20})
    strict = profile.gate.model_copy(update={"max_p95_ratio": 0.001})
    challenger, champion = file(), file(lost=WRISTS)
    project.write_parity(challenger)
    settings = profile.model_copy(update={"benchmark": quick, "gate": strict})
    decision = gate.evaluate(project.root, settings, challenger, Opponent(champion))
    checks = {check.name: check for check in decision.checks}
    assert not decision.promote and [name for name, check in checks.items() if not check.passed] == ["p95_ratio"]
    assert checks["p95_ms"].value > 0 and checks["p95_ratio"].value > 0.001
    assert checks["bytes"].value == challenger.stat().st_size
    json.dumps([vars(check) for check in decision.checks], allow_nan=False)
