import pandas as pd
import pytest

from splitpose.data.splits import split_numbers
from splitpose.data.training_groups import SplitRule, TrainingGroups
from splitpose.promotion.unseen_instances import describe_unknown, exclude_seen

ROWS = pd.DataFrame({"group": list("aabc"), "image": ["1", "2", "3", "4"]})


def groups_of(profile, *groups, complete=True):
    table = pd.DataFrame({"group": groups, "image": "x", "split": "train"})
    return TrainingGroups.of(table, profile) | TrainingGroups(complete=complete)


def test_instances_that_any_model_has_seen_are_excluded(profile):
    groups = {"challenger": groups_of(profile, "b"), "champion": groups_of(profile, "a", "b"), "reference": None}
    unseen = exclude_seen(ROWS, groups)
    assert unseen.rows.to_dict("records") == [{"group": "c", "image": "4"}]
    assert (unseen.excluded, unseen.excluded_by) == (3, {"challenger": 1, "champion": 3})
    assert unseen.description == (
        "the 1 of 4 test instances that none of the models was trained on can be compared; 3 are in groups that a "
        "model was trained on (challenger 1, champion 3)"
    )


def test_unknown_groups_exclude_nothing(profile):
    for groups in ({}, {"challenger": None}, {"challenger": groups_of(profile, "z")}):
        unseen = exclude_seen(ROWS, groups)
        assert (len(unseen.rows), unseen.excluded, unseen.excluded_by) == (4, 0, {})
        assert unseen.description == "all 4 test instances can be compared"


def test_rules_exclude_groups_too():
    start = float(split_numbers(["b"], 7)[0])
    expected = [number >= start for number in split_numbers(ROWS["group"], 7)]
    unseen = exclude_seen(ROWS, {"challenger": TrainingGroups(rules=(SplitRule("", 7, start),))})
    assert unseen.excluded == sum(expected) >= 1


def test_models_without_a_complete_record_are_reported(profile):
    groups = {
        "challenger": groups_of(profile, "a"),
        "champion": None,
        "reference": groups_of(profile, "a", complete=False),
    }
    consequence = "test instances that it has seen may be among the compared ones"
    assert describe_unknown(groups) == [
        f"the champion has no record of the groups that it was trained on; {consequence}",
        "the reference's record of the groups that it was trained on is incomplete, because a model that its "
        f"training started from has none; {consequence}",
    ]


@pytest.mark.parametrize(
    ("models", "total", "seen", "label"),
    [
        (1, 4, "", "all 4 test instances"),
        (1, 4, "a", "the 2 of 4 test instances that the challenger was not trained on"),
        (2, 4, "a", "the 2 of 4 test instances that neither model was trained on"),
        (3, 4, "a", "the 2 of 4 test instances that none of the models was trained on"),
        (2, 9, "", "the 4 of 9 test instances that every model can crop"),
        (2, 9, "a", "the 2 of 9 test instances that neither model was trained on and every model can crop"),
    ],
)
def test_the_evaluation_set_has_a_name(profile, models, total, seen, label):
    groups = {"challenger": groups_of(profile, *seen)}
    assert exclude_seen(ROWS, groups, models, total).label == label
