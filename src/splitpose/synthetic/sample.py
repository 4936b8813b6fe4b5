"""The sample: a synthetic dataset in FLIC's archive layout that requires no download.

Poses follow FLIC's statistics (pose_statistics.json); everything else is generated from a seed. Scores on the
sample cannot be compared with scores on FLIC.
"""

import multiprocessing
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from scipy.io import savemat

from splitpose.data.flic import COORDS_COLUMNS, COORDS_SHAPE, EXAMPLES
from splitpose.progress import track
from splitpose.skeleton import INDEX
from splitpose.synthetic import camera, scene
from splitpose.synthetic.poses import HEIGHT, WIDTH, torso_px

TEST_FRACTION = 0.2
"""Fraction of the films that are in the test split; a film is never divided between splits."""

TWO_PEOPLE_PROB = 0.1
"""Probability that an image has two annotated people."""

FRAME_STEP = 10
"""Frames between two images of a film, as in FLIC."""

MAT_HEADER_SIZE = 116
"""Bytes of descriptive text at the start of a MATLAB file, in which scipy writes the date."""

ADJECTIVES = [
    "silent",
    "golden",
    "winter",
    "paper",
    "broken",
    "midnight",
    "second",
    "scarlet",
    "hollow",
    "distant",
]
NOUNS = [
    "harbour",
    "letters",
    "garden",
    "witness",
    "orchard",
    "station",
    "promise",
    "mirror",
    "river",
    "parade",
]


@dataclass(frozen=True)
class ImagePlan:
    """An image to render: its number, film, frame, number of annotated people and file name."""

    index: int
    film: int
    frame: int
    people: int
    name: str


def render(folder: Path, people: int, films: int, seed: int, workers: int) -> None:
    """Render the sample to `folder`/FLIC/, with the layout of FLIC's unpacked archive.

    The result depends only on `people`, `films` and `seed`. It is rendered to FLIC.part and renamed once it is
    complete; an existing sample is replaced.

    Args:
        folder: parent of the folder FLIC, to which examples.mat and images/*.jpg are written.
        people: number of annotated people (rows).
        films: number of distinct movienames, a fifth of them in the test split.
        seed: random seed.
        workers: number of processes.
    """
    names = film_names(films)
    plans = plan_images(people, names, seed)
    part, archive = folder / "FLIC.part", folder / "FLIC"
    shutil.rmtree(part, ignore_errors=True)
    (part / "images").mkdir(parents=True)
    try:
        joints = _render_all(part / "images", plans, seed, workers)
        test_count = max(1, round(TEST_FRACTION * films))
        test_films = set(np.random.default_rng([seed, 1]).permutation(films)[:test_count].tolist())
        _write_examples(part / EXAMPLES, plans, names, joints, test_films, seed)
        shutil.rmtree(archive, ignore_errors=True)
        part.rename(archive)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def film_names(films: int) -> list[str]:
    """Return distinct fictional movienames, such as "the-silent-harbour"."""
    pairs = [f"the-{a}-{NOUNS[(i + k) % len(NOUNS)]}" for k in range(len(NOUNS)) for i, a in enumerate(ADJECTIVES)]
    return [pairs[i % len(pairs)] + (f"-{i // len(pairs) + 1}" if i >= len(pairs) else "") for i in range(films)]


def plan_images(people: int, names: list[str], seed: int) -> list[ImagePlan]:
    """Plan images of one or two annotated people, `people` in total, taking the films in turn."""
    rng = np.random.default_rng([seed, 0])
    starts = rng.integers(1000, 100_000, len(names))
    plans: list[ImagePlan] = []
    remaining = people
    while remaining:
        index = len(plans)
        film, turn = index % len(names), index // len(names)
        frame = int(starts[film]) + FRAME_STEP * turn
        count = 2 if remaining > 1 and rng.random() < TWO_PEOPLE_PROB else 1
        plans.append(ImagePlan(index, film, frame, count, f"{names[film]}-{frame:08d}.jpg"))
        remaining -= count
    return plans


def render_image(images: Path, seed: int, plan: ImagePlan) -> np.ndarray:
    """Render one image into the folder `images` and return the joints of its people, (N, K, 2) in px."""
    style = camera.sample_film_style(np.random.default_rng([seed, 2, plan.film]))
    image, joints = scene.render_scene(np.random.default_rng([seed, 3, plan.index]), style, plan.people)
    if not cv2.imwrite(str(images / plan.name), image, [cv2.IMWRITE_JPEG_QUALITY, style.quality]):
        raise OSError(f"{images / plan.name}: could not be written")
    return joints


def _render_all(images: Path, plans: list[ImagePlan], seed: int, workers: int) -> list[np.ndarray]:
    """Render all images in `workers` processes and return the joints of each, in order."""
    # Spawned instead of forked, because the parent may have threads (such as TensorFlow's) that do not survive a
    # fork.
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, cv2.setNumThreads, (1,)) as pool:
        joints = pool.imap(partial(render_image, images, seed), plans, chunksize=8)
        return list(track(joints, "rendering images", len(plans), "images"))


def _write_examples(
    path: Path,
    plans: list[ImagePlan],
    names: list[str],
    joints: list[np.ndarray],
    test_films: set[int],
    seed: int,
) -> None:
    """Write the struct array `examples` with one row per person."""
    rng = np.random.default_rng([seed, 4])
    rows = []
    for plan, people in zip(plans, joints, strict=True):
        for person in people:
            coords = np.full(COORDS_SHAPE, np.nan)
            coords[:, COORDS_COLUMNS] = person.T
            rows.append(
                {
                    "poselet_hit_idx": np.sort(rng.integers(1, 1000, (1, int(rng.integers(2, 9))))).astype(
                        np.float64
                    ),
                    "moviename": names[plan.film],
                    "coords": coords,
                    "filepath": plan.name,
                    "imgdims": np.array([[HEIGHT, WIDTH, 3]], np.float64),
                    "currframe": np.array([[plan.frame]], np.float64),
                    "torsobox": torso_box(person, rng)[None],
                    "istrain": np.array([[plan.film not in test_films]]),
                    "istest": np.array([[plan.film in test_films]]),
                }
            )
    examples = np.empty((1, len(rows)), [(field, object) for field in rows[0]])
    examples[0] = [tuple(row.values()) for row in rows]
    savemat(path, {"examples": examples}, do_compression=True)
    content = path.read_bytes()
    path.write_bytes(b"MATLAB 5.0 MAT-file, rendered sample".ljust(MAT_HEADER_SIZE) + content[MAT_HEADER_SIZE:])


def torso_box(joints: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a torso box with the inaccuracy of a detector, x0, y0, x1, y1 in px, for joints (K, 2)."""
    corners = joints[[INDEX[name] for name in ("lsho", "rsho", "lhip", "rhip")]]
    jitter = rng.normal(0, 0.06 * torso_px(joints), 4)
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)]) + jitter
