"""Instances in one pose with a red dot on the nose; TFLite files that know the pose and detect the dot."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from splitpose import annotations, paths
from splitpose.benchmark.schema import Device, Latency, TargetResult
from splitpose.data.training_groups import TrainingGroups
from splitpose.inference.metadata import Metadata, embed_metadata
from splitpose.settings import Profile, load
from splitpose.skeleton import INDEX

POSE = np.array(
    [[30, 40], [20, 60], [15, 80], [70, 40], [80, 60], [85, 80], [35, 90], [65, 90], [45, 20], [55, 20], [50, 30]]
)
"""px; the box of the joints is 70 wide and high, its middle at 50, 55; the torso is 61 long."""

NOTHING_SEEN = TrainingGroups()
"""The record of a model that was not trained."""

MIDDLE, SIDE = np.array([50, 55]), 70


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that builds a TFLite file with metadata which predicts all joints but the `lost` ones."""
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("files")

    def make(
        size: int = 32,
        padding: float = 1.5,
        region_from: str = "joints",
        lost: Sequence[str] = (),
        viewpoint: str = "observer",
        output: str = "coordinates",
        with_metadata: bool = True,
        groups: TrainingGroups | None = NOTHING_SEEN,
    ) -> Path:
        facts = [size, padding, region_from, *lost, viewpoint, output, with_metadata, groups]
        path = folder / f"{hashlib.sha256(repr(facts).encode()).hexdigest()[:16]}.tflite"
        if path.exists():
            return path
        places = (POSE - MIDDLE) / (SIDE * padding)
        places[[INDEX[joint] for joint in lost]] += 1
        known = tf.constant(places[None, : INDEX["nose"]], tf.float32)
        grid = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
        away = 1.0 if "nose" in lost else 0.0

        def function(crop: tf.Tensor) -> tf.Tensor:
            red = crop[0, :, :, 0]
            total = tf.maximum(tf.reduce_sum(red), 1.0)
            x = tf.reduce_sum(red * grid[None]) / total + away
            y = tf.reduce_sum(red * grid[:, None]) / total
            return tf.concat([known, tf.reshape(tf.stack([x, y]), (1, 1, 2))], axis=1)

        signature = tf.TensorSpec((1, size, size, 3), tf.float32)
        concrete = tf.function(function, autograph=False).get_concrete_function(signature)
        content = tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()
        heatmaps = output == "heatmaps"
        described = Metadata(
            variant="final", precision="int8", viewpoint=viewpoint, size=size, region_from=region_from,
            padding=padding, output=output, heatmap_fwhm=5.0 if heatmaps else None,
            decoding="dark" if heatmaps else None, weights_sha256="a", crops_sha256="b",
            training_groups=groups.to_json() if groups else None,
        )  # fmt: skip
        path.write_bytes(embed_metadata(content, described) if with_metadata else content)
        return path

    return make


@pytest.fixture(scope="session")
def profile(repository: Path) -> Profile:
    loaded = load(Profile, repository / "profiles" / "sample.yaml")
    changes = {
        "scoring": loaded.scoring.model_copy(update={"resamples": 200}),
        "gate": loaded.gate.model_copy(update={"min_instances": 10}),
    }
    return loaded.model_copy(update=changes)


class Project:
    """A workspace of 40 test instances, two per image, of which the last ten have no bounding box."""

    def __init__(self, root: Path):
        self.root = root
        self.parity, self.checks = root / paths.parity("final"), root / paths.VALIDATION_SUMMARY
        self.table = root / paths.ANNOTATION_TABLE
        self.parity.parent.mkdir(parents=True)
        self.write_table(_instances(root / paths.DATA))
        self.checks.write_text(json.dumps({"passed": True, "failures": []}))

    def write_table(self, table: pd.DataFrame) -> None:
        annotations.write(table, self.table)

    def write_parity(self, challenger: Path, tflite: float = 95.0, keras: float = 95.25) -> None:
        results = {
            "bytes": challenger.stat().st_size,
            "pck_0.2_mean": tflite,
            "keras_pck_0.2_mean": keras,
            "test_instances": 40,
        }
        self.parity.write_text(json.dumps({"int8": results}))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def _instances(data: Path) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    (data / "raw").mkdir(parents=True)
    rows, joints = [], []
    for number in range(20):
        image = np.zeros((320, 640, 3), np.uint8)
        for position, left in enumerate((40, 360)):
            points = POSE * rng.uniform(0.9, 1.6) + [left + rng.uniform(0, 60), rng.uniform(20, 100)]
            cv2.circle(image, np.rint(points[INDEX["nose"]]).astype(int).tolist(), 3, (0, 0, 255), -1)
            x0, y0, x1, y1 = [*points.min(axis=0), *points.max(axis=0)] if number < 15 else [np.nan] * 4
            rows.append({
                "id": f"{number}-{position}", "image": f"raw/{number}.png", "width": 640, "height": 320,
                "split": "test", "group": f"film {number // 2}",
                "box_x0": x0, "box_y0": y0, "box_x1": x1, "box_y1": y1,
            })  # fmt: skip
            joints.append(points)
        cv2.imwrite(str(data / "raw" / f"{number}.png"), image)
    test = annotations.with_joints(pd.DataFrame(rows), np.stack(joints))
    others = [test[:1].assign(id=split, split=split) for split in ("train", "val")]
    return pd.concat([*others, test])


class FakeDevice:
    """A fake device on which each file has the given p95 latencies, ms; the last one is repeated."""

    def __init__(self, **times: Sequence[float]):
        self.times: dict[str, Iterator[float]] = {name: _repeat_last(values) for name, values in times.items()}
        self.runs: list[str] = []

    def run(self, model: Path, inputs: object, options: object) -> TargetResult:
        self.runs.append(model.stem)
        p95 = next(self.times[model.stem]) if model.stem in self.times else 2.0
        return TargetResult(
            device=Device(
                target="t", cpu="c", architecture="a", cores=4, system="s", runtime="r", delegate="XNNPACK"
            ),
            by_threads=[Latency(threads=1, runs=10, p50_ms=1.0, p95_ms=p95)],
            load_ms=1.0, first_run_ms=1.0, fully_delegated=True, delegate_partitions=1, operator_timings=[],
        )  # fmt: skip


def _repeat_last(times: Sequence[float]) -> Iterator[float]:
    yield from times
    while True:
        yield times[-1]


@pytest.fixture
def fake_device(monkeypatch: pytest.MonkeyPatch) -> FakeDevice:
    """Replace every target by a device on which all files take 2 ms."""
    device = FakeDevice()
    monkeypatch.setattr("splitpose.promotion.measurements.open_target", lambda name: nullcontext(device))
    return device
