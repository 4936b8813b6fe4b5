"""All rules about annotations. A new rule is one entry here: an expectation and the reason that people read.

MUST_HOLD     of the table as it arrives; the checks end here if one fails
QUARANTINE    of each row; a row that breaks one leaves the table, with rule, value and reason
TOLD          of each row; only told, over the table as it arrived
MUST_REMAIN   of the table and what is left of it; column `quarantined` is 1 for a row that left, else 0
PUBLISHED     by edition: of FLIC's rows as they arrive, where the source is what its makers published

QUARANTINE and TOLD look at the columns that measures.py adds, and are rules of single values or of pairs of
values, because these are what Great Expectations can name the rows of. An empty value passes, unless the rule
is about emptiness.
"""

from dataclasses import dataclass, replace

import great_expectations.expectations as gxe
from great_expectations.expectations.row_conditions import Column

from splitpose.annotations import COLUMNS, ONE_PERSON, SPLITS
from splitpose.skeleton import JOINTS


@dataclass(frozen=True)
class Rule:
    """An expectation; `reason` says what is wrong where it is not met."""

    name: str
    expectation: gxe.Expectation
    reason: str


@dataclass(frozen=True)
class Suite:
    """Rules that are checked together.

    Severity is Great Expectations' word: critical ends the run, warning takes rows out, info changes nothing.
    """

    name: str
    severity: str
    rules: tuple[Rule, ...]

    def without(self, name: str) -> "Suite":
        """The suite without the rule of this name."""
        return replace(self, rules=tuple(rule for rule in self.rules if rule.name != name))


PRECONDITIONS = Suite(
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
        # outside in six rows of FLIC lie beyond it, by 2 to 23 px.
        Rule(
            "outside",
            gxe.ExpectColumnValuesToBeBetween(column="outside", max_value=1),
            "a joint lies more than 1 px outside the picture",
        ),
        # FLIC's longest limb is 1.15, that of 348 people of COCO 2.05 (bent towards the camera).
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
            gxe.ExpectColumnValuesToBeNull(column="duplicate_of"),
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
        # The sides of neighbours, hips or elbows against shoulders, differ from the real ones. Nobody of FLIC's
        # 3,987 training rows is above -0.11 and nobody of 348 of COCO, who also stand sideways, above 0.06;
        # with the hips or elbows swapped, all of FLIC's are above 0.105.
        Rule(
            "sides_crossed",
            gxe.ExpectColumnValuesToBeBetween(column="crossed", max_value=0.1),
            "hips or elbows cross over to the other shoulder's side: sides of one pair swapped",
        ),
        # The most is 2.6 in FLIC's training rows and 3.7 in 151 people of COCO (an arm towards the camera). The
        # lower arm says nothing: a wrist can stand before its elbow.
        Rule(
            "uneven",
            gxe.ExpectColumnValuesToBeBetween(column="uneven", max_value=4),
            "an upper arm or a side of the body is over 4 times as long as the other",
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
        # What follows is told and not left out, because FLIC's published protocol scores these rows too.
        Rule(
            "two_splits",
            gxe.ExpectColumnValuesToBeBetween(column="splits_of_picture", max_value=1),
            "the picture has people in more than one split",
        ),
        # FLIC took every tenth frame of its films (19 of its test rows lie so close to a training row).
        Rule(
            "near_frame",
            gxe.ExpectColumnValuesToBeBetween(column="frames_apart", min_value=11),
            "a frame of its group within 10 frames was learned from",
        ),
        # How similar is too similar stands in fingerprint.py.
        Rule(
            "near_copy",
            gxe.ExpectColumnValuesToBeNull(column="near_duplicate_of"),
            "the picture looks like a copy of one that was learned from",
        ),
        Rule(
            "annotated_twice",
            gxe.ExpectColumnValuesToBeBetween(column="nearest", min_value=ONE_PERSON),
            f"a row of the picture is less than {ONE_PERSON} torso diameters away: one person annotated twice",
        ),
    ),
)

POSTCONDITIONS = Suite(
    "must_remain",
    "critical",
    (
        # FLIC's training rows lose 6 of 3,987, and 346 people of COCO nobody. No rule allows for a share of its own
        # (`mostly`), because it is rows that leave, and each of them is named.
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

# val was cut from the training rows before the checks.
LEARNED, SCORED = Column("split") != "test", Column("split") == "test"

# Counts of FLIC as its makers publish it; those of FLIC-full are not known here.
PUBLISHED = {
    "FLIC": Suite(
        "published_flic",
        "critical",
        (
            Rule(
                "train_rows",
                gxe.ExpectTableRowCountToEqual(value=3987, row_condition=LEARNED),
                "FLIC has 3,987 training rows",
            ),
            Rule(
                "test_rows",
                gxe.ExpectTableRowCountToEqual(value=1016, row_condition=SCORED),
                "FLIC has 1,016 test rows",
            ),
            Rule(
                "train_images",
                gxe.ExpectColumnUniqueValueCountToBeBetween(
                    column="image", min_value=3628, max_value=3628, row_condition=LEARNED
                ),
                "FLIC's training rows are of 3,628 images",
            ),
            Rule(
                "test_images",
                gxe.ExpectColumnUniqueValueCountToBeBetween(
                    column="image", min_value=926, max_value=926, row_condition=SCORED
                ),
                "FLIC's test rows are of 926 images",
            ),
        ),
    )
}
