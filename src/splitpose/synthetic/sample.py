"""Rendered people in FLIC's archive layout: a stand-in for FLIC that needs no download.

Poses follow FLIC's statistics (pose_statistics.json); everything else is made up from a seed. Scores on the
sample say nothing about FLIC.
"""

import multiprocessing
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from scipy.io import savemat

from splitpose.data.flic import COORDS_COLUMNS, COORDS_SHAPE
from splitpose.progress import track
from splitpose.skeleton import INDEX
from splitpose.synthetic import camera, scene
from splitpose.synthetic.poses import HEIGHT, WIDTH, torso_px

TEST_SHARE = 0.2
"""Of the films; a film is in one split as a whole."""

TWO_PEOPLE = 0.1
"""Share of the pictures that hold two annotated people."""

FRAMES_APART = 10
"""FLIC takes every tenth frame of a film."""

MAT_HEADER = 116
"""Bytes of free text that a MATLAB file starts with; scipy writes the date into them."""

FIRST = [
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
SECOND = [
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
class Still:
    """One picture to be rendered."""

    index: int
    film: int
    frame: int
    people: int
    name: str


def render(folder: Path, people: int, films: int, seed: int, workers: int) -> None:
    """Write `folder`/FLIC/examples.mat and `folder`/FLIC/images/*.jpg, as FLIC's archive unpacks.

    `people` is the number of annotated people (rows), `films` that of distinct movienames, a fifth of them
    for tests only. The same arguments give the same bytes, whatever the number of `workers` (processes). The
    archive is rendered into FLIC.part and renamed when complete; an older one is replaced.
    """
    names = film_names(films)
    stills = plan(people, names, seed)
    part, archive = folder / "FLIC.part", folder / "FLIC"
    shutil.rmtree(part, ignore_errors=True)
    (part / "images").mkdir(parents=True)
    try:
        joints = _render_all(part / "images", stills, seed, workers)
        test_films = np.random.default_rng([seed, 1]).permutation(films)[: max(1, round(TEST_SHARE * films))]
        _write_examples(part / "examples.mat", stills, names, joints, set(test_films.tolist()), seed)
        shutil.rmtree(archive, ignore_errors=True)
        part.rename(archive)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def film_names(films: int) -> list[str]:
    """Distinct made-up movienames, such as "the-silent-harbour"."""
    pairs = [f"the-{a}-{SECOND[(i + k) % len(SECOND)]}" for k in range(len(SECOND)) for i, a in enumerate(FIRST)]
    return [pairs[i % len(pairs)] + (f"-{i // len(pairs) + 1}" if i >= len(pairs) else "") for i in range(films)]


def plan(people: int, names: list[str], seed: int) -> list[Still]:
    """What to render: pictures of one or two annotated people, `people` in all, films taking turns."""
    rng = np.random.default_rng([seed, 0])
    starts = rng.integers(1000, 100_000, len(names))
    stills: list[Still] = []
    left = people
    while left:
        index = len(stills)
        film, turn = index % len(names), index // len(names)
        frame = int(starts[film]) + FRAMES_APART * turn
        count = 2 if left > 1 and rng.random() < TWO_PEOPLE else 1
        stills.append(Still(index, film, frame, count, f"{names[film]}-{frame:08d}.jpg"))
        left -= count
    return stills


def render_still(images: Path, seed: int, still: Still) -> np.ndarray:
    """Render one picture into the folder `images`; its people, (N, K, 2) in px."""
    film = camera.film(np.random.default_rng([seed, 2, still.film]))
    picture, joints = scene.draw(np.random.default_rng([seed, 3, still.index]), film, still.people)
    if not cv2.imwrite(str(images / still.name), picture, [cv2.IMWRITE_JPEG_QUALITY, film.quality]):
        raise OSError(f"{images / still.name}: could not be written")
    return joints


def _render_all(images: Path, stills: list[Still], seed: int, workers: int) -> list[np.ndarray]:
    """Render all pictures in `workers` processes; the people of each, in order."""
    # Spawned, not forked: the parent may have started threads (TensorFlow's, say) that a fork would break.
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, cv2.setNumThreads, (1,)) as pool:
        done = pool.imap(partial(render_still, images, seed), stills, chunksize=8)
        return list(track(done, "rendering", len(stills), "pictures"))


def _write_examples(
    path: Path,
    stills: list[Still],
    names: list[str],
    joints: list[np.ndarray],
    test_films: set[int],
    seed: int,
) -> None:
    """Write the struct array `examples`, a row a person."""
    rng = np.random.default_rng([seed, 4])
    rows = []
    for still, people in zip(stills, joints, strict=True):
        for person in people:
            coords = np.full(COORDS_SHAPE, np.nan)
            coords[:, COORDS_COLUMNS] = person.T
            rows.append(
                {
                    "poselet_hit_idx": np.sort(rng.integers(1, 1000, (1, int(rng.integers(2, 9))))).astype(
                        np.float64
                    ),
                    "moviename": names[still.film],
                    "coords": coords,
                    "filepath": still.name,
                    "imgdims": np.array([[HEIGHT, WIDTH, 3]], np.float64),
                    "currframe": np.array([[still.frame]], np.float64),
                    "torsobox": torso_box(person, rng)[None],
                    "istrain": np.array([[still.film not in test_films]]),
                    "istest": np.array([[still.film in test_films]]),
                }
            )
    examples = np.empty((1, len(rows)), [(field, object) for field in rows[0]])
    examples[0] = [tuple(row.values()) for row in rows]
    savemat(path, {"examples": examples}, do_compression=True)
    content = path.read_bytes()
    path.write_bytes(b"MATLAB 5.0 MAT-file, rendered sample".ljust(MAT_HEADER) + content[MAT_HEADER:])


def torso_box(joints: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A rough detector's box of the torso of `joints` (K, 2): x0, y0, x1, y1 in px."""
    corners = joints[[INDEX[name] for name in ("lsho", "rsho", "lhip", "rhip")]]
    jitter = rng.normal(0, 0.06 * torso_px(joints), 4)
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)]) + jitter
