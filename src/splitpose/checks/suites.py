"""All rules about annotations. A new rule is one entry here: an expectation and the reason that people read.

MUST_HOLD     of the table as it arrives; the checks end here if one fails
QUARANTINE    of each row; a row that breaks one leaves the table, with rule, value and reason
TOLD          of each row; only counted, over the table as it arrived
MUST_REMAIN   of the table and what is left of it; column `quarantined` is 1 for a row that left, else 0

QUARANTINE and TOLD look at the columns that measures.py adds, and are rules of single values or of pairs of
values, because these are what Great Expectations can name the rows of. An empty value passes, unless the rule
is about emptiness.
"""

from dataclasses import dataclass

import great_expectations.expectations as gxe
from great_expectations.expectations.row_conditions import Column

from splitpose.annotations import COLUMNS, SPLITS
from splitpose.skeleton import JOINTS


@dataclass(frozen=True)
class Rule:
    """An expectation; `reason` says what is wrong where it is not met."""

    name: str
    expectation: gxe.Expectation
    reason: str


@dataclass(frozen=True)
class Suite:
    """Rules that are checked together; severity is Great Expectations' word: critical, warning or info."""

    name: str
    severity: str
    rules: tuple[Rule, ...]


MUST_HOLD = Suite(
    "must_hold",
    "critical",
    (
        Rule(
            "columns",
            gxe.ExpectTableColumnsToMatchSet(column_set=COLUMNS, exact_match=False),
            "the annotation table lacks columns",
        ),
        Rule("people", gxe.ExpectTableRowCountToBeBetween(min_value=1), "the annotation table has no people"),
        *(
            Rule(f"{column}_given", gxe.ExpectColumnValuesToNotBeNull(column=column), f"rows without {column}")
            for column in ["id", "image", "width", "height", "split", "group"]
        ),
        Rule("id_unique", gxe.ExpectColumnValuesToBeUnique(column="id"), "people that share an id"),
        Rule(
            "split_known",
            gxe.ExpectColumnValuesToBeInSet(column="split", value_set=list(SPLITS)),
            f"splits that are none of {', '.join(SPLITS)}",
        ),
        *(
            Rule(
                f"{column}_positive",
                gxe.ExpectColumnValuesToBeBetween(column=column, min_value=1),
                f"{column} is no number of pixels",
            )
            for column in ["width", "height"]
        ),
    ),
)

QUARANTINE = Suite(
    "quarantine",
    "warning",
    (
        Rule(
            "picture",
            gxe.ExpectColumnValuesToBeNull(column="picture_problem"),
            "the picture is missing or can not be read",
        ),
        Rule(
            "size",
            gxe.ExpectColumnPairValuesToBeEqual(
                column_A="size", column_B="picture_size", ignore_row_if="either_value_is_missing"
            ),
            "width and height are not those of the picture (as recorded, as read and turned by its EXIF tag)",
        ),
        Rule(
            "no_joints",
            gxe.ExpectColumnValuesToBeBetween(column="joints_annotated", min_value=1),
            "no joint is annotated",
        ),
        Rule(
            "half_joint",
            gxe.ExpectColumnValuesToBeBetween(column="joints_half", max_value=0),
            "joints have only one of x and y",
        ),
        # Shorter than any real torso (FLIC's shortest is 69 px), and errors in torso diameters would explode.
        Rule(
            "torso",
            gxe.ExpectColumnValuesToBeBetween(column="torso", min_value=5),
            "left shoulder and right hip are less than 5 px apart",
        ),
        # 1 px is left to tools that count pixels from 1 and to clicks on the border's outer edge. The joints
        # outside in six rows of FLIC (facts.md) lie beyond it, by 2 to 23 px.
        Rule(
            "outside",
            gxe.ExpectColumnValuesToBeBetween(column="outside", max_value=1),
            "a joint lies more than 1 px outside the picture",
        ),
        # FLIC's longest limb is 1.15.
        Rule(
            "limb",
            gxe.ExpectColumnValuesToBeBetween(column="longest_limb", max_value=3),
            "a limb is longer than 3 torso diameters",
        ),
        Rule(
            "box",
            gxe.ExpectColumnValuesToBeBetween(column="box_side", min_value=1),
            "the box is incomplete, reversed or narrower than 1 px",
        ),
        Rule(
            "copy",
            gxe.ExpectColumnValuesToBeNull(column="copy_of"),
            "the row repeats another one exactly: same picture, same joints",
        ),
    ),
)

TOLD = Suite(
    "told",
    "info",
    (
        Rule(
            "sides_swapped",
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="lsho_x", column_B="rsho_x", or_equal=True, ignore_row_if="either_value_is_missing"
            ),
            "the left shoulder lies left of the right one: seen from behind, or sides swapped",
        ),
        Rule(
            "joints_missing",
            gxe.ExpectColumnValuesToBeBetween(column="joints_annotated", min_value=len(JOINTS)),
            "not all joints are annotated",
        ),
        Rule(
            "torso_missing",
            gxe.ExpectColumnValuesToNotBeNull(column="torso"),
            "left shoulder or right hip is not annotated: can be learned from, but not scored",
        ),
        Rule(
            "two_splits",
            gxe.ExpectColumnValuesToBeBetween(column="splits_of_picture", max_value=1),
            "the picture has people in more than one split",
        ),
        # In FLIC the two annotations of one person are at most 0.2 apart, different people at least 0.6.
        Rule(
            "annotated_twice",
            gxe.ExpectColumnValuesToBeBetween(column="nearest", min_value=0.3),
            "another row of the picture is less than 0.3 torso diameters away: one person annotated twice",
        ),
    ),
)

MUST_REMAIN = Suite(
    "must_remain",
    "critical",
    (
        Rule(
            "share",
            gxe.ExpectColumnMeanToBeBetween(column="quarantined", max_value=0.1),
            "more than 0.1 of the rows are in quarantine, so the source itself is broken",
        ),
        Rule(
            "train_and_test",
            gxe.ExpectColumnDistinctValuesToContainSet(
                column="split", value_set=["train", "test"], row_condition=Column("quarantined") == 0
            ),
            "no people are left in a split that is needed",
        ),
    ),
)
