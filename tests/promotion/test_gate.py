import json
import re
import shutil
from contextlib import nullcontext

import numpy as np
import pytest

from splitpose import annotations, promotion
from splitpose.errors import InputError
from splitpose.promotion import candidate

WRISTS = ("lwri", "rwri")
"""Without them 9 of 11 joints are found: 81.818 %."""


@pytest.fixture
def judge(project, profile, at_once):
    """Judges files of the project; what the convert stage said of the challenger is written first."""

    def judge(challenger, champion=None, **more):
        project.write_parity(challenger)
        return promotion.judge(
            profile=more.pop("profile", profile),
            root=project.root,
            challenger=challenger,
            champion=champion,
            parity=project.parity,
            checks=project.checks,
            **more,
        )

    return judge


def figures(judgement):
    return {check.name: (check.passed, check.figure) for check in judgement.checks}


def test_a_first_champion_beats_the_mean_pose(judge, file):
    # all stand in the mean pose, so whoever finds everything is just as good
    judgement = judge(file())
    assert judgement.promote
    assert judgement.reason == (
        "there is no champion yet; all 5 checks passed: mean PCK@0.2 of 100.0 against 100.0 of their mean pose on "
        "40 test people, +0 points (+0 to +0)"
    )
    assert figures(judgement)["p95_ms"] == (True, 2.0)
    blind = judge(file(lost=["nose"]))
    assert not blind.promote
    assert figures(blind)["above_mean_pose"] == (False, -9.091)


def test_a_champion_of_another_size_and_margin_is_scored_as_its_card_says(judge, file):
    judgement = judge(file(size=32, margin=1.5), champion=file(size=48, margin=3.0))
    assert figures(judgement)["pck"] == (True, 0.0)
    assert "100.0 against the champion's 100.0 on 40 test people" in judgement.reason
    assert judgement.promote


def test_a_worse_one_is_kept_and_a_better_one_promoted(judge, file):
    worse = judge(file(lost=WRISTS), champion=file())
    assert not worse.promote
    assert figures(worse)["pck"] == figures(worse)["slices"][:1] + (-18.182,) == (False, -18.182)
    assert worse.reason.startswith(
        "2 of 8 checks failed, pck, slices: mean PCK@0.2 of 81.818 against the champion's"
    )
    better = judge(file(), champion=file(lost=WRISTS))
    assert better.promote and figures(better)["pck"] == (True, 18.182)


def test_a_loss_in_few_people_shows_in_their_slice(judge, file, project):
    table = annotations.read(project.table)
    joints = annotations.joints_of(table)
    joints[:, [2, 5]] += np.where(np.arange(len(table)) < 32, 0, 1000)[:, None, None]  # nobody finds these wrists
    project.write_table(annotations.with_joints(table, joints))
    judgement = judge(file(lost=["lwri"]), champion=file())
    pck, slices = (check for check in judgement.checks if check.name in ("pck", "slices"))
    assert pck.figure == pytest.approx(-100 / 11 * 30 / 40, abs=1e-3)
    assert slices.figure < pck.figure and "left joints" in slices.text


def test_only_people_whom_both_can_be_given_are_compared(judge, file):
    # 10 of the 40 have no box
    for challenger, champion in (("bbox", "joints"), ("joints", "bbox")):
        judgement = judge(file(around=challenger), champion=file(around=champion))
        assert "100.0 against the champion's 100.0 on 30 test people" in judgement.reason
    assert "on 40 test people" in judge(file(margin=2.0), champion=file()).reason


def test_todays_test_people_count(judge, file, project):
    table = annotations.read(project.table)
    project.write_table(table[:20])
    assert "on 18 test people" in judge(file(margin=2.0), champion=file()).reason


def test_the_champions_own_file_is_kept(judge, file, tmp_path):
    shutil.copy(file(), tmp_path / "champion.tflite")
    judgement = judge(file(), champion=tmp_path / "champion.tflite")
    assert (judgement.promote, judgement.checks) == (False, [])
    assert judgement.reason == "the challenger is the champion's own file"


def test_why_the_champion_could_not_be_fetched_is_told(judge, file):
    judgement = judge(file(), unreadable="its file is\ngone")
    assert judgement.promote
    assert judgement.reason.startswith(
        "the champion cannot be compared (its file is gone); all 5 checks passed: mean PCK@0.2 of 100.0 against"
    )


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda file: b"", r"its file: not a TFLite file that runs here"),
        (lambda file: file().read_bytes()[:1000], r"its file: not a TFLite file that runs here"),
        (lambda file: file(with_metadata=False).read_bytes(), r"its file: has no splitpose metadata"),
        (lambda file: file(viewpoint="person").read_bytes(), r"its left and right are the person's"),
        (lambda file: file().read_bytes().replace(b'"nose"]', b'"chin"]'), r"its file: predicts other joints"),
        (lambda file: file(output="heatmaps").read_bytes(), r"its file: does not match its metadata"),
    ],
)
def test_a_champion_that_cannot_be_compared_is_no_obstacle_but_told(judge, file, tmp_path, damage, reason):
    champion = tmp_path / "champion.tflite"
    champion.write_bytes(damage(file))
    judgement = judge(file(), champion=champion)
    assert judgement.promote
    assert re.match(rf"the champion cannot be compared \({reason}.*\); all 5 checks passed", judgement.reason)
    assert "\n" not in judgement.reason and str(tmp_path) not in judgement.reason


def test_a_champion_of_boxes_where_nobody_has_one(judge, file, project):
    project.write_table(annotations.read(project.table).assign(**dict.fromkeys(annotations.BOX_COLUMNS, np.nan)))
    judgement = judge(file(), champion=file(around="box"))
    assert judgement.promote
    assert "cannot be compared (annotation table: split train has no rows with a box" in judgement.reason


def test_a_damaged_challenger_is_an_error(judge, tmp_path, file):
    path = tmp_path / "challenger.tflite"
    path.write_bytes(file().read_bytes()[:1000])
    with pytest.raises(InputError, match=r"challenger\.tflite: not a TFLite file that runs here"):
        judge(path, champion=file())


@pytest.mark.parametrize("champion", [False, True])
def test_no_test_people(judge, file, project, champion):
    table = annotations.read(project.table)
    project.write_table(table[table["split"] != "test"])
    with pytest.raises(InputError, match="annotation table: split test has no rows at all") as raised:
        judge(file(), champion=file(margin=2.0) if champion else None)
    assert "\n" not in str(raised.value)


def test_no_torso(judge, file, project):
    project.write_table(annotations.read(project.table).assign(lsho_x=np.nan, lsho_y=np.nan))
    with pytest.raises(InputError, match="nobody of the split 'test' has both lsho and rhip; mark them"):
        judge(file())


def test_a_picture_that_is_gone(judge, file, project):
    (project.root / "data" / "raw" / "7.png").unlink()
    with pytest.raises(InputError, match=r"raw/7\.png: no such image"):
        judge(file())


def test_a_device_out_of_reach_is_an_error(judge, file, profile, monkeypatch):
    class Gone:
        def run(self, model, inputs, options):
            raise InputError("ssh://nobody@nowhere: cannot be reached")

    monkeypatch.setattr("splitpose.promotion.measurements.open_target", lambda name: nullcontext(Gone()))
    with pytest.raises(InputError, match="cannot be reached"):
        judge(file(margin=2.0), champion=file())


def test_annotations_that_failed_their_checks(judge, file, project):
    project.checks.write_text(json.dumps({"passed": False, "failures": ["too few films", "no test people"]}))
    judgement = judge(file())
    assert not judgement.promote
    assert "1 of 5 checks failed, data: too few films; no test people" in judgement.reason


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("parity", None, r"parity\.json: no such file; `dvc repro convert` writes it"),
        ("parity", "{", r"parity\.json: not valid JSON"),
        ("parity", "{}", r"parity\.json: int8: KeyError\('int8'\); run `dvc repro convert` again"),
        (
            "parity",
            '{"int8": {"bytes": 1, "pck_0.2_mean": 9, "keras_pck_0.2_mean": 9}}',
            r"is of another file than",
        ),
        ("parity", '{"int8": {"bytes": 1, "pck_0.2_mean": null, "keras_pck_0.2_mean": 9}}', r"int8: TypeError"),
        ("checks", None, r"checks\.json: no such file; `dvc repro validate` writes it"),
        ("checks", "{}", r"checks\.json: KeyError\('passed'\); run `dvc repro validate` again"),
        ("table", None, r"annotations\.parquet: no such annotation table"),
    ],
)
def test_missing_and_damaged_files_are_named(project, profile, at_once, file, name, content, message):
    project.write_parity(file())
    path = getattr(project, name)
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(InputError, match=message) as raised:
        promotion.judge(profile, project.root, file(), None, project.parity, project.checks)
    assert "\n" not in str(raised.value)


def test_joints_are_those_of_the_picture_and_person(file, project, profile):
    """The dot is found in every picture, so the right picture came in, with its colours in order."""
    table = annotations.read(project.table)
    loaded = candidate.load(file(size=64))
    found = loaded.joints(loaded.people(table, profile.crops), project.root / "data")
    np.testing.assert_allclose(found, annotations.joints_of(table), atol=1.0)


def test_two_files_on_this_machine(project, profile, file):
    """Nothing stands in for the device here."""
    quick = profile.benchmark.model_copy(update={"runs": 300, "warmup_runs": 20})
    slow = profile.gate.model_copy(update={"max_p95_ratio": 0.001})
    challenger, champion = file(), file(lost=WRISTS)
    project.write_parity(challenger)
    judgement = promotion.judge(
        profile.model_copy(update={"benchmark": quick, "gate": slow}),
        project.root, challenger, champion, project.parity, project.checks,
    )  # fmt: skip
    checks = {check.name: check for check in judgement.checks}
    assert not judgement.promote and [name for name, check in checks.items() if not check.passed] == ["p95_ratio"]
    assert checks["p95_ms"].figure > 0 and checks["p95_ratio"].figure > 0.001
    assert checks["bytes"].figure == challenger.stat().st_size
    json.dumps([vars(check) for check in judgement.checks], allow_nan=False)
