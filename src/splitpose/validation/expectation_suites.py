"""All validation rules. To add a rule, add an entry here: an expectation, and the reason that users see.

PRECONDITIONS     checked on the input table; validation stops if one fails
QUARANTINE        checked on each row; rows that break one are removed and listed with rule, value and reason
WARNINGS          checked on each row of the input table; suspicious rows are listed but kept
POSTCONDITIONS    checked on all rows, with the column `quarantined` (1 for a removed row, else 0)
PUBLISHED_COUNTS  checked on FLIC's rows, by edition: its published numbers of rows and images

QUARANTINE and WARNINGS use the columns that row_metrics.py adds. Their expectations are about single values or
pairs of values, because for these Great Expectations can name the rows that break them. Missing values pass, except
where the rule itself is about missing values.
"""

from dataclasses import dataclass, replace

import great_expectations.expectations as gxe
from great_expectations.expectations.row_conditions import Column

from splitpose.annotations import COLUMNS, DUPLICATE_DISTANCE, SPLITS
from splitpose.skeleton import JOINTS


@dataclass(frozen=True)
class Rule:
    """A named expectation, and the problem of rows or tables that do not meet it."""

    name: str
    expectation: gxe.Expectation
    reason: str
    failure: str = ""
    """Of a rule about the whole table: what failed, with {percent} for the observed fraction."""


@dataclass(frozen=True)
class Suite:
    """Rules that are checked together."""

    name: str
    severity: str
    """Great Expectations' failure severity: critical (the run stops), warning (rows are removed) or info."""
    rules: tuple[Rule, ...]

    def without(self, name: str) -> "Suite":
        """Return the suite without the rule of this name."""
        return replace(self, rules=tuple(rule for rule in self.rules if rule.name != name))


PRECONDITIONS = Suite(
    "preconditions",
    "critical",
    (
        Rule(
            "columns",
            gxe.ExpectTableColumnsToMatchSet(column_set=COLUMNS, exact_match=False),
            "the annotation table lacks columns",
        ),
        Rule("not_empty", gxe.ExpectTableRowCountToBeBetween(min_value=1), "the annotation table has no rows"),
        *(
            Rule(
                f"{column}_not_null",
                gxe.ExpectColumnValuesToNotBeNull(column=column),
                f"rows have no {column}",
            )
            for column in ["id", "image", "width", "height", "split", "group"]
        ),
        Rule("id_unique", gxe.ExpectColumnValuesToBeUnique(column="id"), "rows have the same id"),
        Rule(
            "split_valid",
            gxe.ExpectColumnValuesToBeInSet(column="split", value_set=list(SPLITS)),
            f"rows have a split other than {', '.join(SPLITS)}",
        ),
        *(
            Rule(
                f"{column}_positive",
                gxe.ExpectColumnValuesToBeBetween(column=column, min_value=1),
                f"{column} is not a positive number of pixels",
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
            "unreadable_image",
            gxe.ExpectColumnValuesToBeNull(column="image_error"),
            "the image is missing or cannot be read",
        ),
        Rule(
            "image_size",
            gxe.ExpectColumnPairValuesToBeEqual(
                column_A="annotated_size", column_B="image_size", ignore_row_if="either_value_is_missing"
            ),
            "width and height differ from those of the image (annotated size, size as read with EXIF orientation)",
        ),
        Rule(
            "no_joints",
            gxe.ExpectColumnValuesToBeBetween(column="annotated_joints", min_value=1),
            "no joint is annotated",
        ),
        Rule(
            "incomplete_joint",
            gxe.ExpectColumnValuesToBeBetween(column="incomplete_joints", max_value=0),
            "joints have only one of x and y",
        ),
        # Shorter than any real torso (the shortest in FLIC is 69 px); errors in torso diameters would be huge.
        Rule(
            "short_torso",
            gxe.ExpectColumnValuesToBeBetween(column="torso_diameter", min_value=5),
            "left shoulder and right hip are less than 5 px apart",
        ),
        # 1 px allows for tools that count pixels from 1 and for clicks on the outer edge of the border. Six rows
        # of FLIC have joints further outside, by 2 to 23 px.
        Rule(
            "joint_outside_image",
            gxe.ExpectColumnValuesToBeBetween(column="distance_outside", max_value=1),
            "a joint is more than 1 px outside the image",
        ),
        # The longest limb is 1.15 in FLIC and 2.05 in 348 people of COCO (bent towards the camera).
        Rule(
            "long_limb",
            gxe.ExpectColumnValuesToBeBetween(column="longest_limb", max_value=3),
            "a limb is longer than 3 torso diameters",
        ),
        Rule(
            "invalid_bbox",
            gxe.ExpectColumnValuesToBeBetween(column="bbox_side", min_value=1),
            "the bounding box is incomplete, reversed or narrower than 1 px",
        ),
        # coordinate_faults.py defines when coordinates contradict each other; no row of FLIC or COCO does.
        Rule(
            "wrong_coordinates",
            gxe.ExpectColumnValuesToBeNull(column="coordinate_error"),
            "joints and bounding box contradict each other, or cannot be px of the image (likely cause)",
        ),
        # placeholders.py defines both. In FLIC and COCO, at most 2 joints of a person are at one point.
        Rule(
            "identical_joints",
            gxe.ExpectColumnValuesToBeNull(column="identical_error"),
            "at least half of the joints are at one point",
        ),
        Rule(
            "placeholder",
            gxe.ExpectColumnValuesToBeNull(column="placeholder_error"),
            "a joint far from the person is at a position that recurs in the file: written where none "
            "was annotated",
        ),
        Rule(
            "duplicate",
            gxe.ExpectColumnValuesToBeNull(column="duplicate_of"),
            "the row duplicates another one exactly: same image, same joints",
        ),
    ),
)

WARNINGS = Suite(
    "warnings",
    "info",
    (
        Rule(
            "truncated_image",
            gxe.ExpectColumnValuesToBeNull(column="image_warning"),
            "the image lacks its last bytes; what could be decoded is used",
        ),
        Rule(
            "sides_swapped",
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="lsho_x", column_B="rsho_x", or_equal=True, ignore_row_if="either_value_is_missing"
            ),
            "the left shoulder is left of the right one (x of both): seen from behind, or sides swapped",
        ),
        # Left and right of one pair (hips or elbows) contradict the shoulders. None of FLIC's 3,987 training rows
        # is above -0.11, and none of 348 people of COCO, also in side view, above 0.06; with the hips or
        # elbows swapped, all rows of FLIC are above 0.105.
        Rule(
            "pair_swapped",
            gxe.ExpectColumnValuesToBeBetween(column="crossing", max_value=0.1),
            "hips or elbows are crossed relative to the shoulders: left and right of one pair swapped",
        ),
        # The largest ratio is 2.6 in FLIC's training rows and 3.7 in 151 people of COCO (an arm towards the
        # camera). Lower arms are not checked: a wrist can be in front of its elbow.
        Rule(
            "asymmetric_limbs",
            gxe.ExpectColumnValuesToBeBetween(column="asymmetry", max_value=4),
            "one upper arm, or one side of the body, is more than 4 times as long as the other",
        ),
        Rule(
            "joints_missing",
            gxe.ExpectColumnValuesToBeBetween(column="annotated_joints", min_value=len(JOINTS)),
            "not all joints are annotated (number of annotated joints)",
        ),
        Rule(
            "torso_missing",
            gxe.ExpectColumnValuesToNotBeNull(column="torso_diameter"),
            "left shoulder or right hip is not annotated: usable for training, but not scored",
        ),
        Rule(
            "empty_bbox",
            gxe.ExpectColumnValuesToBeNull(column="empty_bbox"),
            "the bounding box has no area: treated as missing (x0, y0, x1, y1)",
        ),
        # No row of FLIC or COCO is listed by the following three rules.
        Rule(
            "suspicious_coordinates",
            gxe.ExpectColumnValuesToBeNull(column="coordinate_warning"),
            "joints or bounding box are probably not px of the image (likely cause)",
        ),
        Rule(
            "suspicious_joints",
            gxe.ExpectColumnValuesToBeNull(column="identical_warning"),
            "joints have the same coordinates",
        ),
        Rule(
            "possible_placeholder",
            gxe.ExpectColumnValuesToBeNull(column="placeholder_warning"),
            "a joint is in the corner of the image, or at a position that recurs in the file: written where none "
            "was annotated",
        ),
        # The following only warn, because FLIC's published protocol scores these rows as well.
        Rule(
            "several_splits",
            gxe.ExpectColumnValuesToBeBetween(column="splits_of_image", max_value=1),
            "the image has instances in more than one split",
        ),
        # FLIC contains every tenth frame of its films (19 of its test rows are this close to a training row).
        Rule(
            "nearby_frame",
            gxe.ExpectColumnValuesToBeBetween(column="frame_distance", min_value=11),
            "a frame of the same group within 10 frames is used for training",
        ),
        # near_duplicates.py defines when two images are near duplicates.
        Rule(
            "near_duplicate",
            gxe.ExpectColumnValuesToBeNull(column="near_duplicate_of"),
            "the image is a near duplicate of one that is used for training",
        ),
        Rule(
            "annotated_twice",
            gxe.ExpectColumnValuesToBeBetween(column="nearest_instance", min_value=DUPLICATE_DISTANCE),
            f"another row of the image is less than {DUPLICATE_DISTANCE} torso diameters away: one person "
            "annotated twice",
        ),
    ),
)

POSTCONDITIONS = Suite(
    "postconditions",
    "critical",
    (
        # FLIC's training rows lose 6 of 3,987, and 346 people of COCO none. The rules above do not use `mostly`,
        # because single rows are removed and each of them is listed.
        Rule(
            "quarantined_fraction",
            gxe.ExpectColumnMeanToBeBetween(column="quarantined", max_value=0.1),
            "more than 10 % of the rows are in quarantine, so the source itself is probably wrong",
            failure="{percent} of the rows are in quarantine (at most 10 % are allowed)",
        ),
        Rule(
            "required_splits",
            gxe.ExpectColumnDistinctValuesToContainSet(
                column="split", value_set=["train", "test"], row_condition=Column("quarantined") == 0
            ),
            "a required split has no rows left",
        ),
    ),
)

# The validation split was taken from the training rows before the checks.
TRAIN_ROWS, TEST_ROWS = Column("split") != "test", Column("split") == "test"

# Counts that FLIC's authors publish; those of FLIC-full are not known.
PUBLISHED_COUNTS = {
    "FLIC": Suite(
        "published_counts_flic",
        "critical",
        (
            Rule(
                "train_rows",
                gxe.ExpectTableRowCountToEqual(value=3987, row_condition=TRAIN_ROWS),
                "FLIC has 3,987 training rows",
            ),
            Rule(
                "test_rows",
                gxe.ExpectTableRowCountToEqual(value=1016, row_condition=TEST_ROWS),
                "FLIC has 1,016 test rows",
            ),
            Rule(
                "train_images",
                gxe.ExpectColumnUniqueValueCountToBeBetween(
                    column="image", min_value=3628, max_value=3628, row_condition=TRAIN_ROWS
                ),
                "FLIC's training rows have 3,628 images",
            ),
            Rule(
                "test_images",
                gxe.ExpectColumnUniqueValueCountToBeBetween(
                    column="image", min_value=926, max_value=926, row_condition=TEST_ROWS
                ),
                "FLIC's test rows have 926 images",
            ),
        ),
    )
}
