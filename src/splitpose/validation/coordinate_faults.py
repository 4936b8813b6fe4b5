"""Detection of joints and bounding boxes that are in other coordinates than px of the image.

A whole file is usually wrong in the same way, so hypotheses are tested on all people of a file first; then each row
is tested alone. The fit of a file is the mean, over its people with at least `MIN_JOINTS` joints and a box, of the
intersection over union of the box and the rectangle around the joints, times the fraction of both that is in the
image. Files without boxes are compared with the image alone. `benchmarks/annotation_checks.py` measures false
alarms and detection rates.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from splitpose.annotations import source_of
from splitpose.skeleton import INDEX
from splitpose.validation.coordinate_fit import (
    People,
    containment,
    extents,
    gap,
    inside_box,
    inside_image,
    overlap,
    people_of,
)
from splitpose.validation.coordinate_systems import (
    FIXED_RANGES,
    Hypothesis,
    Named,
    box_hypotheses,
    estimated_frames,
    fixed_frames,
    joint_hypotheses,
    relative_joint_hypotheses,
    scaled_images,
)

MIN_JOINTS = 4
"""Joints that a person must have to be used for the fit of a file."""
MIN_PEOPLE = 5
"""People that a file must have for estimated hypotheses, and for hypotheses that improve the fit only a little."""
MIN_PEOPLE_TO_WARN = 3
"""People that a file must have, unless the contradiction is beyond doubt."""
MAX_SAMPLE = 300
"""People of a file that are used to choose the hypothesis; all are compared with the chosen one."""

MIN_IMPROVEMENT, MIN_IMPROVEMENT_IF_ESTIMATED, MIN_IMPROVEMENT_OF_FEW = 1.35, 1.6, 2.5
MIN_FIT = 0.1
CONSISTENT_FIT, CONSISTENT_CONTAINMENT, CONSISTENT_INSIDE, CONSISTENT_UPRIGHT = 0.3, 0.5, 0.96, 0.6
"""Means of a file from which on no hypothesis is tested: IoU, containment, points in the image, upright people.

Correct files are above them with boxes around the person, the upper body or the torso, also in images that are
cropped to the person. Files with a mistake are below at least one of them, except where people are in the middle of
their images.
"""
SIMILAR_FIT = 0.85
"""Hypotheses whose fit is at least this part of the best one are equally likely; the simplest one is reported."""

MIN_INSIDE = 0.35
"""Fraction of a person's joints in the box: FLIC's boxes enclose the torso, in which 4 of the 11 joints are."""
MAX_LESS_UPRIGHT = 0.3
"""Fraction of the people who may be upright as recorded and not after a conversion that is right."""
MAX_GAP = 0.5
"""Distance between joints and box, in the longest of their sides: a box of the torso is next to the head."""
MIN_ORIENTED = 10
"""People with a torso that are necessary to judge the orientation of a file."""
IMAGE_MARGIN = 0.02
"""Part of the sides of an image by which converted joints may be outside."""
OUTSIDE_MARGIN = 0.1
"""Part of the sides of an image beyond which joints are not only those of truncated people."""


@dataclass
class CoordinateFaults:
    """Rows and files with coordinates that are not px of the image."""

    errors: pd.Series
    """Cause for each row that is certainly wrong, else None."""
    warnings: pd.Series
    """Cause for each row that is probably wrong, else None."""
    findings: list[str] = field(default_factory=list)
    """One line per file that is wrong as a whole: how many rows agree, the likely cause and the remedy."""


def file_of(table: pd.DataFrame) -> pd.Series:
    """Return the file of each row: the id up to its last "-", or the source of the image if no other row has it."""
    prefix = table["id"].str.rsplit("-", n=1).str[0]
    is_shared = prefix.groupby(prefix).transform("size") > 1
    files = prefix.astype(object)
    files[~is_shared] = table.loc[~is_shared, "image"].map(source_of)
    return files


def rows_by_file(table: pd.DataFrame) -> list[tuple[str, np.ndarray]]:
    """Return the files in order, each with the positions (M,) of its rows."""
    files = file_of(table)
    return [(str(file), np.asarray(rows)) for file, rows in files.groupby(files, sort=True).indices.items()]


def find_coordinate_faults(table: pd.DataFrame) -> CoordinateFaults:
    """Find the rows and files of an annotation table (cast) whose coordinates are not px of the image."""
    empty = pd.Series([None] * len(table), index=table.index, dtype=object)
    faults = CoordinateFaults(empty.copy(), empty.copy())
    people = people_of(table)
    fixed = _fixed_hypotheses()
    for file, rows in rows_by_file(table):
        _find_in_file(file, rows, people.take(rows), fixed, faults)
    _find_in_rows(table, people, fixed, faults)
    return faults


def _fixed_hypotheses() -> list[Hypothesis]:
    frames = fixed_frames()
    none: list[Named] = []
    return [
        *joint_hypotheses(none),
        *joint_hypotheses(frames),
        *relative_joint_hypotheses(),
        *box_hypotheses(none),
        *box_hypotheses(frames),
    ]


def _find_in_file(
    file: str, rows: np.ndarray, people: People, fixed: list[Hypothesis], faults: CoordinateFaults
) -> None:
    """Add the fault of a file, if there is one, to `faults`."""
    if np.isfinite(people.joints).any():
        for find in (_find_by_boxes, _find_by_range, _find_by_borders, _find_by_orientation):
            finding = find(people, fixed)
            if finding is not None:
                listing = faults.errors if finding.is_certain else faults.warnings
                listing.iloc[rows[finding.rows]] = f"{finding.subject} look like {finding.cause}"
                faults.findings.append(
                    f"{file}: the {finding.subject} of {finding.rows.sum():,} of {finding.people:,} people "
                    f"look like {finding.cause} ({finding.evidence}): {finding.remedy}"
                )
                return


@dataclass(frozen=True)
class _Finding:
    subject: str
    cause: str
    remedy: str
    evidence: str
    rows: np.ndarray
    """(N,) bool, the people of the file that agree."""
    people: int
    """Number of people of the file that can be judged."""
    is_certain: bool


# Joints and boxes contradict each other.


def _find_by_boxes(people: People, fixed: list[Hypothesis]) -> _Finding | None:
    usable = np.flatnonzero((_count(people.joints) >= MIN_JOINTS) & np.isfinite(people.boxes).all(axis=(1, 2)))
    if not usable.size:
        return None
    sample = people.take(usable[:: -(-len(usable) // MAX_SAMPLE)])
    if _is_consistent(sample):
        return None
    recorded = _mean_fit(sample)
    is_large = len(usable) >= MIN_PEOPLE
    hypotheses = fixed + (_estimated_hypotheses(sample) if is_large else [])
    upright = _upright_fraction(sample.joints)
    hypotheses = [
        hypothesis
        for hypothesis in hypotheses
        if _is_in_range(hypothesis, sample) and _keeps_upright(hypothesis, sample, upright)
    ]
    best = _best(hypotheses, sample)
    fit = _mean_fit(sample.converted(best))
    necessary = MIN_IMPROVEMENT_IF_ESTIMATED if best.is_estimated else MIN_IMPROVEMENT
    if fit < max(MIN_FIT, recorded * (necessary if is_large else MIN_IMPROVEMENT_OF_FEW)):
        return None
    converted = people.converted(best)
    agrees = _fits_better(converted, people)
    # In a file of a few people, only a contradiction without any doubt is certain.
    is_certain = is_large or (
        np.nanmax(inside_box(sample)) == 0 and np.nanmin(inside_box(sample.converted(best))) >= 0.9
    )
    if len(usable) < MIN_PEOPLE_TO_WARN and not is_certain:
        return None
    has_box = np.isfinite(people.boxes).all(axis=(1, 2)) & (_count(people.joints) > 0)
    after, before = (np.nanmean(overlap(other.take(usable))) for other in (converted, people))
    evidence = f"converted to px, the mean IoU of joints and boxes is {after:.2f} instead of {before:.2f}"
    return _Finding(best.subject, best.cause, best.remedy, evidence, agrees, int(has_box.sum()), is_certain)


def _count(joints: np.ndarray) -> np.ndarray:
    """Return the number (N,) of annotated joints."""
    count: np.ndarray = np.isfinite(joints).all(axis=-1).sum(axis=1)
    return count


def _fit(people: People) -> np.ndarray:
    fit: np.ndarray = np.nan_to_num(overlap(people) * inside_image(people))
    return fit


def _mean_fit(people: People) -> float:
    return float(_fit(people).mean())


def _is_consistent(people: People) -> bool:
    """Return whether joints, boxes and images agree without doubt, so that no hypothesis needs to be tested."""
    return bool(
        inside_image(people, 0.02).mean() >= CONSISTENT_INSIDE
        and _upright_fraction(people.joints) >= CONSISTENT_UPRIGHT
        and containment(people).mean() >= CONSISTENT_CONTAINMENT
        and (overlap(people).mean() >= CONSISTENT_FIT or _is_enclosed(people))
    )


def _is_enclosed(people: People) -> bool:
    """Return whether boxes contain nearly all joints; then they may be larger, if only the head is annotated."""
    is_inside = inside_image(people, 0.02).min() == 1 and inside_box(people).mean() >= 0.9
    return bool(is_inside and overlap(people).mean() >= 0.2)


def _estimated_hypotheses(people: People) -> list[Hypothesis]:
    joints, boxes, sizes = extents(people.joints).mean(axis=1), people.boxes.mean(axis=1), people.sizes[:, 0]
    return [
        *joint_hypotheses(estimated_frames(joints, boxes, sizes), is_estimated=True),
        *box_hypotheses(estimated_frames(boxes, joints, sizes), is_estimated=True),
    ]


def _is_in_range(hypothesis: Hypothesis, people: People) -> bool:
    """Return whether the recorded numbers are in the range that the hypothesis states, such as 0..1000."""
    points = people.joints if hypothesis.subject == "joints" else people.boxes[:, 0]
    highest = np.nanmax(points)
    if "bounding box" in hypothesis.cause:
        return True  # joints may be far outside the box of a torso
    return all(words not in hypothesis.cause or highest <= 1.1 * side for side, words in FIXED_RANGES.items())


def _keeps_upright(hypothesis: Hypothesis, people: People, upright: float) -> bool:
    """Return whether about as many people are upright as recorded, which is `upright`."""
    if hypothesis.subject == "boxes":
        return True
    return _upright_fraction(people.converted(hypothesis).joints) >= upright - MAX_LESS_UPRIGHT


def _best(hypotheses: list[Hypothesis], people: People) -> Hypothesis:
    """Return the most likely of the hypotheses that fit about as well as the best one.

    It is the simplest one. If that leaves several: the one with upright people; then the one that enlarges what is
    wrong, because coordinates that are too large would be outside the image.
    """
    converted = [people.converted(hypothesis) for hypothesis in hypotheses]
    fits = np.array([_mean_fit(other) for other in converted])

    def rank(k: int) -> tuple[float, ...]:
        sizes = [
            np.nanmean(np.abs(other.joints)) + np.nanmean(np.abs(other.boxes)) for other in (converted[k], people)
        ]
        return (
            hypotheses[k].complexity,
            -round(_upright_torso_fraction(converted[k].joints), 1),
            -round(fits[k] / fits.max(), 1),
            sizes[0] < sizes[1],
            -fits[k],
        )

    return hypotheses[min(np.flatnonzero(fits >= SIMILAR_FIT * fits.max()).tolist(), key=rank)]


def _fits_better(converted: People, recorded: People) -> np.ndarray:
    """Return (N,) whether each person agrees better with the box after the conversion."""
    before, after = _fit(recorded), _fit(converted)
    few = _count(recorded.joints) < MIN_JOINTS
    inside = [np.nan_to_num(inside_box(people) * inside_image(people)) for people in (recorded, converted)]
    return np.where(few, inside[1] > inside[0], after > 1.1 * before)


# Joints and boxes agree or there are no boxes: compare joints with the image.


def _find_by_range(people: People, fixed: list[Hypothesis]) -> _Finding | None:
    """Find joints that are confined to a small part of larger images, because they are fractions of it."""
    points, sizes = _points(people)
    low, high = points.min(axis=0), points.max(axis=0)
    everyone = _count(people.joints) > 0
    count = int(everyone.sum())
    if len(points) >= 3 and low.min() >= -1.1 and high.max() <= 1.1 and sizes.min() >= 20:
        best = _best_in_image(people, fixed, "-1..1" if low.min() < -0.2 else "(0..1)")
        if best is not None:
            evidence = f"all joints are in {low.min():.2g}..{high.max():.2g}"
            return _Finding(_subject(people), best.cause, best.remedy, evidence, everyone, count, True)
    if count < MIN_PEOPLE or low.min() < -0.1 * high.max():
        return None
    for side, words in ((100, "(0..100)"), (1000, "(0..1000)")):
        if (high > 1.05 * side).any() or high.max() < 0.6 * side or sizes.min() < 2 * side:
            continue
        best = _best_in_image(people, fixed, words)
        if best:
            evidence = f"all joints are in 0..{side}, in images of at least {sizes.min():.0f} px"
            fills_image = (high - low >= 0.6 * side).all() and count >= 2 * MIN_PEOPLE
            return _Finding(_subject(people), best.cause, best.remedy, evidence, everyone, count, bool(fills_image))
    reach = (points / sizes).max(axis=0)
    if count >= 4 * MIN_PEOPLE and reach.max() <= 0.6:
        cause, remedy = scaled_images(float(reach.max()))
        evidence = f"all joints are in the upper left {reach[0]:.0%} x {reach[1]:.0%} of their images"
        return _Finding(_subject(people), cause, remedy, evidence, everyone, count, False)
    return None


def _find_by_borders(people: People, fixed: list[Hypothesis]) -> _Finding | None:
    """Find joints of many people outside their images, and the conversion that moves them inside."""
    outside = inside_image(_joints_only(people), OUTSIDE_MARGIN) < 1
    count = int((_count(people.joints) > 0).sum())
    if outside.sum() < max(3, 0.3 * count):
        return None
    points, sizes = _points(people)
    cause, remedy = scaled_images(float(np.percentile((points / sizes).max(axis=1), 99.5)))
    best = _best_in_image(people, fixed, "")
    if best is not None:
        cause, remedy = best.cause, best.remedy
    return _Finding(_subject(people), cause, remedy, "they are outside the image", outside, count, False)


def _best_in_image(people: People, fixed: list[Hypothesis], words: str) -> Hypothesis | None:
    """Return the simplest mistake of joints, with the given words in its cause, that explains them without boxes.

    Converted joints are in their images, not only in a corner of them, and people are upright.
    """
    recorded = _joints_only(people)
    fitting = []
    for k, hypothesis in enumerate(fixed):
        is_visible = not any(other in hypothesis.cause for other in ("bounding box", "mirrored", "180"))
        if hypothesis.subject == "joints" and is_visible and words in hypothesis.cause:
            converted = recorded.converted(hypothesis)
            points, sizes = _points(converted)
            upright = _upright_torso_fraction(converted.joints)
            reach = (points / sizes).max(axis=0).min()
            if np.nanmean(inside_image(converted, IMAGE_MARGIN)) >= 0.98 and upright >= 0.7 and reach >= 0.5:
                fitting.append((hypothesis.complexity, -round(upright, 1), -round(reach, 1), k))
    return fixed[min(fitting)[-1]] if fitting else None


def _joints_only(people: People) -> People:
    return replace(people, boxes=np.full_like(people.boxes, np.nan))


def _subject(people: People) -> str:
    """Return what is wrong where joints and boxes, if there are any, agree with each other."""
    return "joints and boxes" if np.isfinite(people.boxes).any() else "joints"


def _find_by_orientation(people: People, fixed: list[Hypothesis]) -> _Finding | None:
    """Find files in which nearly all people are upside down or lie on the same side."""
    down = _torso_directions(people.joints)
    has_torso = np.isfinite(down).all(axis=1)
    count = int(has_torso.sum())
    if count < MIN_ORIENTED:
        return None
    names = {
        "with the y axis upwards (or the images are rotated by 180 degrees)": (
            -down[:, 1],
            "replace y by height - 1 - y",
        ),
        "with x and y exchanged (or the images are rotated by 90 degrees)": (down[:, 0], "write x before y"),
        "of images that are rotated by 90 degrees": (-down[:, 0], "rotate the images or the joints"),
    }
    for cause, (component, remedy) in names.items():
        agrees = has_torso & (component > 0.7 * np.linalg.norm(down, axis=1))
        if agrees.sum() >= 0.8 * count:
            return _Finding(_subject(people), f"px {cause}", remedy, "they are not upright", agrees, count, False)
    return None


def _points(people: People) -> tuple[np.ndarray, np.ndarray]:
    """Return all annotated joints (M, 2) and the sizes (M, 2) of their images."""
    annotated = np.isfinite(people.joints).all(axis=-1)
    return people.joints[annotated], np.broadcast_to(people.sizes, people.joints.shape)[annotated]


def _torso_directions(joints: np.ndarray) -> np.ndarray:
    """Return the vectors (N, 2) from the middle of the shoulders to that of the hips, px."""
    middle = [(joints[:, INDEX[f"l{pair}"]] + joints[:, INDEX[f"r{pair}"]]) / 2 for pair in ("sho", "hip")]
    down: np.ndarray = middle[1] - middle[0]
    return down


def _upright_torso_fraction(joints: np.ndarray) -> float:
    """Return the fraction of the people with a torso whose hips are below the shoulders; 1 without any."""
    return _fraction_downwards(_torso_directions(joints))


def _fraction_downwards(down: np.ndarray) -> float:
    """Return the fraction of those of the vectors (N, 2) that are known which point downwards; 1 without any."""
    down = down[np.isfinite(down).all(axis=1)]
    return float((down[:, 1] > np.abs(down[:, 0])).mean()) if len(down) else 1.0


HEAD, SHOULDERS, HIPS = ("nose", "leye", "reye"), ("lsho", "rsho"), ("lhip", "rhip")


def _middle(joints: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Return the mean positions (N, 2) of those of the named joints that are annotated; NaN without any."""
    points = joints[:, [INDEX[name] for name in names]]
    annotated = np.isfinite(points).all(axis=-1, keepdims=True)
    count = annotated.sum(axis=1)
    total = np.where(annotated, points, 0.0).sum(axis=1)
    middle: np.ndarray = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return middle


def _upright_fraction(joints: np.ndarray) -> float:
    """Return the fraction of the people who are upright: hips below shoulders, or else these below the head.

    1 if that cannot be judged for anyone.
    """
    return _fraction_downwards(_body_directions(joints))


def _body_directions(joints: np.ndarray) -> np.ndarray:
    """Return the vectors (N, 2) from the shoulders to the hips, or else from the head to the shoulders, px."""
    head, shoulders, hips = (_middle(joints, names) for names in (HEAD, SHOULDERS, HIPS))
    down: np.ndarray = np.where(np.isfinite(hips - shoulders), hips - shoulders, shoulders - head)
    return down


# Single rows.


def _find_in_rows(table: pd.DataFrame, people: People, fixed: list[Hypothesis], faults: CoordinateFaults) -> None:
    """Add rows whose joints contradict their box or image to `faults`, if they are not listed already."""
    for find in (_tiny, _far_from_box, _boxes_outside):
        rows = np.flatnonzero((faults.errors.isna() & faults.warnings.isna()).to_numpy())
        for row, cause, is_certain in find(table, people, rows, fixed):
            (faults.errors if is_certain else faults.warnings).iloc[row] = cause


RowFault = tuple[int, str, bool]
"""Row, cause, and whether it is certain."""


def _tiny(table: pd.DataFrame, people: People, rows: np.ndarray, fixed: list[Hypothesis]) -> Iterator[RowFault]:
    """Yield those of the rows whose joints are all in -1..1: several joints in the corner pixel."""
    people = people.take(rows)
    values = np.abs(np.nan_to_num(people.joints)).max(axis=(1, 2), initial=0.0)
    several = (_count(people.joints) >= 3) & (people.sizes.min(axis=(1, 2)) >= 20)
    for row in rows[several & (values <= 1.1)].tolist():
        yield row, "joints look like fractions (0..1) of the image size", True


def _far_from_box(
    table: pd.DataFrame, people: People, rows: np.ndarray, fixed: list[Hypothesis]
) -> Iterator[RowFault]:
    """Yield those of the rows with all joints far from the box, or with most outside and a conversion that fits."""
    some = people.take(rows)
    inside, count, distance = inside_box(some), _count(some.joints), np.nan_to_num(gap(some))
    is_valid = (some.boxes[:, 1] - some.boxes[:, 0] >= 1).all(axis=1)  # others are listed as invalid_bbox
    is_far = is_valid & (distance > MAX_GAP) & (count > 0)
    is_certain = (count >= MIN_JOINTS) | ((count >= 3) & (distance > 2 * MAX_GAP))
    is_outside = is_valid & (inside_box(some, 0.5) == 0) & (count >= 3) & ~is_far
    is_partly = is_valid & (inside < MIN_INSIDE) & (containment(some) < 0.2) & (count >= 5) & ~is_far
    owners = _owners(table, people, rows[is_far | is_outside])
    causes = _row_causes(people, rows[is_far | is_partly], fixed)
    for k in np.flatnonzero(is_far | is_outside | is_partly).tolist():
        row = int(rows[k])
        if row in owners:
            yield row, owners[row], bool(is_certain[k] or not is_far[k])
        elif is_far[k]:
            yield row, causes.get(row, "all joints are outside the bounding box"), bool(is_certain[k])
        elif row in causes:
            yield row, causes[row], False


def _row_causes(people: People, rows: np.ndarray, fixed: list[Hypothesis]) -> dict[int, str]:
    """Return the simplest hypothesis that brings the joints of each row into the box, as text, if there is one."""
    rows = rows[_count(people.joints[rows]) >= 3]
    # One person fits some combination of mistakes by chance.
    simple = [hypothesis for hypothesis in fixed if hypothesis.complexity <= 1]
    # Readers shift boxes, which `People.converted` recognises by negative numbers.
    is_negative = people.boxes[rows].min(axis=(1, 2), initial=0) < 0
    causes: dict[int, str] = {}
    for part in (rows[is_negative], rows[~is_negative]):
        if part.size:
            causes |= dict(zip(part.tolist(), _causes_alike(people.take(part), simple), strict=True))
    return {row: cause for row, cause in causes.items() if cause}


def _causes_alike(people: People, hypotheses: list[Hypothesis]) -> list[str]:
    """Return the most likely hypothesis for each person as text, or ""."""
    recorded = _are_upright(people.joints)
    converted = [people.converted(hypothesis) for hypothesis in hypotheses]
    upright = np.stack([_are_upright(other.joints) for other in converted])  # (H, N)
    fits = np.stack([_fit(other) for other in converted])
    contained = np.stack([containment(other) for other in converted])
    fits[(contained < 0.8) | (fits < 0.15) | (upright < recorded)] = 0
    causes = []
    for k in range(len(recorded)):
        similar = np.flatnonzero((fits[:, k] > 0) & (fits[:, k] >= SIMILAR_FIT * fits[:, k].max()))
        ranks = [(hypotheses[h].complexity, not upright[h, k], -fits[h, k], int(h)) for h in similar]
        best = hypotheses[min(ranks)[-1]] if ranks else None
        causes.append(f"{best.subject} look like {best.cause}" if best else "")
    return causes


def _are_upright(joints: np.ndarray) -> np.ndarray:
    """Return (N,) bool, whether each person is upright, which is assumed where it cannot be judged."""
    down = _body_directions(joints)
    upright: np.ndarray = (down[:, 1] > np.abs(down[:, 0])) | ~np.isfinite(down).all(axis=1)
    return upright


def _owners(table: pd.DataFrame, people: People, rows: np.ndarray) -> dict[int, str]:
    """Return text for those of the rows whose joints are in the box of another person of the image."""
    in_image = table.groupby("image").indices if rows.size else {}
    owners = {}
    for row in rows.tolist():
        others = np.asarray(in_image[table["image"].iloc[row]])
        others = others[others != row]
        joints = np.repeat(people.joints[row][None], len(others), axis=0)
        inside = np.nan_to_num(inside_box(People(joints, people.boxes[others], people.sizes[others])))
        if inside.max(initial=0) >= 0.9:
            owners[row] = f"the joints are in the bounding box of {table['id'].iloc[others[inside.argmax()]]}"
    return owners


def _boxes_outside(
    table: pd.DataFrame, people: People, rows: np.ndarray, fixed: list[Hypothesis]
) -> Iterator[RowFault]:
    """Yield those of the rows whose box extends beyond the image by more than a tenth of it."""
    beyond = np.maximum(-people.boxes[:, 0], people.boxes[:, 1] - people.sizes[:, 0])
    corner = next(h for h in box_hypotheses([]) if h.cause.startswith("corners"))
    for row in rows[(beyond > 0.1 * people.sizes[:, 0]).any(axis=1)[rows]].tolist():
        person = people.take(np.array([row]))
        if _count(person.joints)[0] >= 3 and _fit(person.converted(corner))[0] > 1.5 * _fit(person)[0] + 0.05:
            yield row, f"boxes look like {corner.cause}", bool(inside_box(person.converted(corner))[0] >= 0.9)
        else:
            yield row, f"the bounding box extends {beyond[row].max():.0f} px beyond the image", False
