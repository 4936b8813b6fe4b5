import json

import numpy as np
import pandas as pd
import pytest

from splitpose.annotations import INCOMING
from splitpose.data import training_groups
from splitpose.data.splits import split_numbers
from splitpose.data.training_groups import SplitRule, TrainingGroups
from splitpose.errors import InputError
from splitpose.settings import Profile, load


@pytest.fixture(scope="module")
def sample(repository):
    return load(Profile, repository / "profiles" / "sample.yaml")


@pytest.fixture(scope="module")
def coco(repository):
    return load(Profile, repository / "profiles" / "coco.yaml")


def table(**splits):
    """Return rows in one image each: split=[group of each row]."""
    rows = [(split, group) for split, groups in splits.items() for group in groups]
    frame = pd.DataFrame(rows, columns=["split", "group"])
    return frame.assign(image=[f"raw/{number}.jpg" for number in range(len(frame))])


def rows(*pairs):
    return pd.DataFrame(pairs, columns=["group", "image"])


def hashed(groups, profile, fraction, prefix=""):
    """Return rows whose split is a hash of their group."""
    names = [prefix + group for group in groups]
    is_test = split_numbers(names, profile.validation.seed) < fraction
    frame = pd.DataFrame({"group": names, "split": np.where(is_test, "test", "train")})
    return frame.assign(image="raw/" + frame["group"] + ".jpg")


def test_groups_of_incoming_data_have_the_prefix():
    assert f"{INCOMING}/" == training_groups.INCOMING_PREFIX


def test_training_and_validation_groups_have_been_seen(sample):
    known = table(train=["a", "a", "b"], val=["c"], test=["d", "e"])
    groups = TrainingGroups.of(known, sample)
    assert groups.contains(known).tolist() == [True] * 4 + [False] * 2
    assert groups.contains(rows(("a", "new.jpg"), ("new", "new.jpg"))).tolist() == [True, False]
    assert len(groups.listed) == 3


def test_images_of_divided_groups_are_recorded(sample):
    """FLIC divides every film between train and test; one image is in both."""
    known = table(train=["film", "film"], test=["film", "film"]).assign(image=["1", "2", "2", "3"])
    groups = TrainingGroups.of(known, sample)
    assert groups.contains(known).tolist() == [True, True, True, False]
    assert groups.contains(rows(("film", "4"))).tolist() == [False]


def test_a_long_list_is_replaced_by_its_opposite(sample, monkeypatch):
    monkeypatch.setattr(training_groups, "MAX_LISTED", 2)
    known = table(train=["film"] * 3 + ["b"], test=["film", "film", "d"])
    known.loc[4, "image"] = known.loc[0, "image"]
    groups = TrainingGroups.of(known, sample)
    assert (groups.listed, {prefix: len(unseen) for prefix, unseen in groups.all_but.items()}) == (set(), {"": 2})
    assert groups.contains(known).tolist() == [True] * 5 + [False] * 2
    later = rows(("new", "new.jpg"), ("d", "new.jpg"), ("incoming/new", "new.jpg"))
    assert groups.contains(later).tolist() == [True, False, False]


def test_hash_splits_are_recorded_as_a_rule(coco):
    known = hashed([str(number) for number in range(500)], coco, coco.source.test_fraction)
    groups = TrainingGroups.of(known, coco)
    assert groups == TrainingGroups(rules=(SplitRule("", coco.validation.seed, coco.source.test_fraction),))
    assert (groups.contains(known) == (known["split"] == "train")).all()
    assert 0 < (known["split"] == "test").sum() < 500


def test_training_groups_that_break_the_rule_are_listed(coco):
    known = hashed([str(number) for number in range(50)], coco, coco.source.test_fraction)
    known["split"] = "train"
    groups = TrainingGroups.of(known, coco)
    assert len(groups.rules) == 1
    assert 0 < len(groups.listed) < 50
    assert groups.contains(known).all()


def test_a_rule_that_contains_a_test_group_is_not_used(coco):
    known = hashed([str(number) for number in range(50)], coco, coco.source.test_fraction)
    moved = known.index[known["split"] == "train"][0]
    known.loc[moved, "split"] = "test"
    groups = TrainingGroups.of(known, coco)
    assert groups.rules == ()
    assert (groups.contains(known) == (known["split"] == "train")).all()


def test_a_given_test_split_is_no_hash_split(coco):
    source = coco.source.model_copy(update={"annotations": {"train": ["a"], "test": ["b"]}})
    groups = TrainingGroups.of(table(train=["a"], test=[]), coco.model_copy(update={"source": source}))
    assert (groups.rules, len(groups.listed)) == ((), 1)


def test_incoming_groups_have_a_rule_of_their_own(sample):
    names = [str(number) for number in range(50)]
    new = hashed(names, sample, sample.incoming.test_fraction, prefix="incoming/")
    known = pd.concat([table(train=["a"], test=["b"]), new], ignore_index=True)
    groups = TrainingGroups.of(known, sample)
    assert groups.rules == (SplitRule("incoming/", sample.validation.seed, sample.incoming.test_fraction),)
    assert len(groups.listed) == 1
    assert (groups.contains(known) == (known["split"] == "train")).all()
    other = hashed(names, sample, 1.0)
    assert not groups.contains(other).any()


def test_the_union_has_seen_what_either_has():
    one = TrainingGroups((SplitRule("", 1, 0.5),), frozenset({1, 2}), {"": frozenset({5, 6})})
    two = TrainingGroups(
        (SplitRule("", 1, 0.25), SplitRule("", 2, 0.5)),
        frozenset({2, 3}),
        {"": frozenset({6, 7}), "incoming/": frozenset({8})},
        complete=False,
    )
    union = TrainingGroups(
        (SplitRule("", 1, 0.25), SplitRule("", 2, 0.5)),
        frozenset({1, 2, 3}),
        {"": frozenset({6}), "incoming/": frozenset({8})},
        complete=False,
    )
    assert one | two == two | one == union
    assert union | one == union


@pytest.mark.parametrize("count", [0, 1, 1000])
def test_json_is_read_back(count):
    hashes = frozenset(np.random.default_rng(count).integers(0, 2**32, count).tolist())
    groups = TrainingGroups((SplitRule("incoming/", 3, 0.2),), hashes, {"": hashes}, complete=False)
    text = json.dumps(groups.to_json())
    assert TrainingGroups.from_json(json.loads(text)) == groups
    assert len(text) < 200 + 2 * 5.4 * count


@pytest.mark.parametrize(
    "values",
    [
        None, [], "x", {}, {"rules": []},
        TrainingGroups().to_json() | {"rules": [{"prefix": ""}]},
        TrainingGroups().to_json() | {"listed": "eA=="},
        TrainingGroups().to_json() | {"listed": "§"},
        TrainingGroups().to_json() | {"all_but": []},
    ],
)  # fmt: skip
def test_damaged_json_is_reported_in_one_line(values):
    with pytest.raises(InputError, match="the record of the training groups is damaged") as error:
        TrainingGroups.from_json(values)
    assert "\n" not in str(error.value)


def test_the_record_of_100000_people_has_a_few_kb(coco):
    groups = [f"{number:012}.jpg" for number in range(60_000)]
    known = hashed(groups, coco, coco.source.test_fraction)
    assert len(json.dumps(TrainingGroups.of(known, coco).to_json())) < 200
    given = coco.source.model_copy(update={"annotations": {"train": ["a"], "test": ["b"]}})
    known["split"] = np.where(np.arange(60_000) < 2_700, "test", "train")
    record = TrainingGroups.of(known, coco.model_copy(update={"source": given}))
    assert len(json.dumps(record.to_json())) < 11_000
    assert (record.contains(known) == (known["split"] == "train")).mean() > 0.999


def test_the_summary_is_one_line():
    assert TrainingGroups().summary() == "none"
    groups = TrainingGroups(
        (SplitRule("incoming/", 11, 0.2),), frozenset({1}), {"": frozenset({2, 3})}, complete=False
    )
    assert groups.summary() == (
        "incoming/*: hash with seed 11 of at least 0.2; 1 groups or images are listed; *: all but 2; "
        "incomplete: a model that training started from has no record"
    )
