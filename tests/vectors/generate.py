"""Generates vectors.json: small inputs and Python's results, which test Python and the page of web/ alike.

Run `python tests/vectors/generate.py` after an intended change of Python's results. Arrays are
{dtype, shape, base64}.
"""

import base64
import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from support.fake_model import PADDING, FakeModel

from splitpose.benchmark.targets.latency_statistics import summarise_sustained
from splitpose.codecs import Codec, Coordinates, Heatmaps
from splitpose.crops.geometry import CropRegion, ImagePyramid, apply_affine, crop_affine, crop_region, invert_affine
from splitpose.drawing import draw_joints
from splitpose.files import atomic_file
from splitpose.inference.metadata import Metadata, embed_metadata
from splitpose.inference.sliding_window import WINDOW_SIDES, joints_crop_policy, search_people, sliding_windows
from splitpose.skeleton import JOINTS, LIMBS

FILE = Path(__file__).with_name("vectors.json")
Json = dict[str, Any]

METADATA = {
    "variant": "final", "precision": "int8", "viewpoint": "person", "size": 32, "region_from": "bbox",
    "padding": 2.5, "output": "heatmaps", "heatmap_fwhm": 5.0, "decoding": "dark", "weights_sha256": "a" * 64,
    "crops_sha256": "b" * 64,
}  # fmt: skip

TRAINING_GROUPS = {
    "rules": [{"prefix": "incoming/", "seed": 11, "from": 0.2}], "listed": "eNpjYGBgYAQAAAUAAg==", "all_but": {},
    "complete": True,
}  # fmt: skip

FORMAT_1_METADATA = {
    "format": 1, "variant": "final", "precision": "int8", "joints": JOINTS, "viewpoint": "person", "size": 32,
    "colours": "RGB", "channel_range": [0, 255], "crop_around": "box", "crop_margin": 2.5, "output": "heatmaps",
    "heatmap_width": 5.0, "decoding": "dark", "weights_sha256": "a" * 64, "crops_sha256": "b" * 64,
}  # fmt: skip


def pack_array(array: np.ndarray) -> Json:
    """Return an array as JSON."""
    content = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return {"dtype": array.dtype.name, "shape": list(array.shape), "base64": content}


def unpack_array(content: Json) -> np.ndarray:
    """Return the array of a `pack_array` result."""
    flat = np.frombuffer(base64.b64decode(content["base64"]), content["dtype"])
    return flat.reshape(content["shape"])


def crops(rng: np.random.Generator) -> list[Json]:
    """Return crops upscaled, unscaled, downscaled by 1.5, 2 (twice), 2.5, 3 and 7, over a border, and outside."""
    cases = []
    for (width, height), (x, y, side), size in [
        ((31, 23), (15.2, 11.7, 9.3), 12),
        ((31, 23), (15, 11, 16), 16),
        ((31, 23), (14.6, 10.1, 18), 12),
        ((31, 23), (15, 11, 31), 12),
        ((32, 24), (15.5, 11.5, 32), 16),
        ((30, 25), (14.5, 12, 30), 12),  # 25 / 2 is rounded to the even 12
        ((31, 23), (28.4, 3.3, 24), 8),
        ((40, 30), (20.3, 15.4, 28), 4),
        ((31, 23), (-2, 24, 12), 12),
        ((31, 23), (90, 90, 12), 6),
    ]:
        image = rng.integers(0, 256, (height, width, 3), np.uint8)
        crop = ImagePyramid(image).warp(crop_affine(CropRegion(x, y, side), size), size)
        region = {"x": x, "y": y, "side": side}
        cases.append({"image": pack_array(image), "region": region, "size": size, "crop": pack_array(crop)})
    return cases


def affines(rng: np.random.Generator) -> list[Json]:
    """Return crop regions of joints, their affine maps and inverses, and mapped joints."""
    cases = []
    for padding, size in [(1.5, 96), (2.5, 224), (1.0, 7)]:
        joints = rng.uniform(0, 400, (11, 2)).round(2)
        region = crop_region(joints, np.empty(0), "joints", padding)
        affine = crop_affine(region, size)
        cases.append(
            {
                "joints": joints.tolist(),
                "padding": padding,
                "size": size,
                "region": vars(region),
                "affine": affine.ravel().tolist(),
                "mapped": apply_affine(affine, joints).tolist(),
                "inverse": invert_affine(affine).ravel().tolist(),
            }
        )
    return cases


def windows() -> list[Json]:
    """Return the windows (x, y, side) of a search in images of several shapes."""
    cases = []
    for width, height in [(640, 480), (333, 777), (100, 100), (900, 20), (1, 1)]:
        found = [[window.x, window.y, window.side] for window in sliding_windows(width, height)]
        cases.append({"width": width, "height": height, "sides": WINDOW_SIDES, "windows": found})
    return cases


SEARCHED_PERSONS = [(110, 240, 130, 0.7), (330, 260, 110, 0.9), (540, 230, 120, 0.8), (330, 200, 40, 0.85)]
"""(x, y, size, confidence) of persons; the last one's region is inside that of the second."""


def searches() -> list[Json]:
    """Return the regions (x, y, side) of the people found with models that detect given persons.

    Such a model predicts, in a region whose IoU with that of a person (x, y, size, confidence) is above 0.35, the
    person with the highest IoU: joints whose box has its centre at (x, y) and the side `size`. A person's region
    has 1.5 times this side. Elsewhere it predicts joints whose box has the region's centre and a fifth of its side,
    with confidence 0.4.
    """
    cases = []
    for persons, threshold, max_people in [
        (SEARCHED_PERSONS, 0.5, 4),
        (SEARCHED_PERSONS, 0.5, 2),
        (SEARCHED_PERSONS, 0.75, 4),
        (SEARCHED_PERSONS, 0.95, 4),
        (SEARCHED_PERSONS[:1], 0.0, 1),
        ([], 0.0, 1),
        ([], 0.5, 3),
    ]:
        model: Any = FakeModel(
            [person[:3] for person in persons],
            confidences=[confidence for *_, confidence in persons],
            person_threshold=threshold,
        )
        image: Any = None
        people = search_people(model, image, (640, 480), joints_crop_policy(PADDING), max_people)
        cases.append(
            {
                "width": 640, "height": 480, "padding": PADDING, "persons": persons, "threshold": threshold,
                "max_people": max_people, "found": [list(vars(person.region).values()) for person in people],
                "confidences": [round(person.mean_confidence, 6) for person in people], "runs": len(model.regions),
            }
        )  # fmt: skip
    return cases


def decodings(rng: np.random.Generator) -> list[Json]:
    """Return decoded coordinates, and heatmaps with peaks inside and beyond the border, noisy, random and flat."""
    cases = [decode(Coordinates(96), rng.uniform(-0.6, 0.6, (1, 11, 2)))]
    y, x = np.mgrid[:8, :8]
    for fwhm, decoding in [(3.0, "argmax"), (3.0, "dark"), (5.0, "dark")]:
        codec = Heatmaps(32, fwhm, decoding)  # type: ignore[arg-type]
        peaks = np.concatenate([rng.uniform(1, 6, (6, 2)), [[0, 0], [7, 7.3], [-0.4, 4], [3.5, 7.4], [1, 6]]])
        squared_distances = (x[..., None] - peaks[:, 0]) ** 2 + (y[..., None] - peaks[:, 1]) ** 2
        heatmaps = np.exp(-squared_distances / (2 * codec.sigma**2))[None]
        cases.append(decode(codec, heatmaps))
        cases.append(decode(codec, 0.4 * heatmaps + rng.normal(0, 0.02, heatmaps.shape)))
        cases.append(decode(codec, rng.normal(0, 1, heatmaps.shape)))
        cases.append(decode(codec, np.full(heatmaps.shape, 0.25)))
    return cases


def decode(codec: Codec, outputs: np.ndarray) -> Json:
    """Return an output of a model with its decoded joints and confidence."""
    outputs = outputs.astype(np.float32)
    confidence = codec.confidence(outputs)[0]
    return {
        "codec": {"kind": type(codec).__name__.lower(), **vars(codec)},
        "output": pack_array(outputs[0]),
        "joints": codec.decode(outputs)[0].round(5).tolist(),
        "confidence": None if np.isnan(confidence).any() else confidence.round(6).tolist(),
    }


def drawings(rng: np.random.Generator) -> list[Json]:
    """Return drawings on images of several sizes, without and with confidence."""
    cases = []
    for width, height in [(64, 48), (250, 400), (900, 750), (1600, 1200)]:
        joints = rng.uniform(-5, [width, height], (11, 2)).round(2)
        for confidence in (np.full(11, np.nan), rng.uniform(0, 1, 11).round(2)):
            cases.append(
                {
                    "width": width,
                    "height": height,
                    "joints": joints.tolist(),
                    "confidence": [None if np.isnan(value) else value for value in confidence.tolist()],
                    "strokes": strokes(joints, confidence, width, height),
                }
            )
    return cases


def strokes(joints: np.ndarray, confidence: np.ndarray, width: int, height: int) -> list[Json]:
    """Return the lines, dots and rings that `draw_joints` draws with OpenCV: px, colours in RGB."""
    calls: list[Json] = []

    def line(_: Any, start: Any, end: Any, colour: Any, thickness: int, *rest: Any) -> None:
        points = (np.array([start, end]) / 16).tolist()
        calls.append({"points": points, "colour": list(colour[::-1]), "width": thickness})

    def circle(_: Any, centre: Any, radius: int, colour: Any, thickness: int, *rest: Any) -> None:
        points = (np.array([centre]) / 16).tolist()
        is_dot = thickness == cv2.FILLED
        size = {"width": 2 * radius / 16} if is_dot else {"width": thickness, "radius": radius / 16}
        calls.append({"points": points, "colour": list(colour[::-1]), **size})

    with patch.object(cv2, "line", line), patch.object(cv2, "circle", circle):
        draw_joints(np.zeros((height, width, 3), np.uint8), joints, confidence=confidence)
    return calls


def latencies(rng: np.random.Generator) -> list[Json]:
    """Return percentiles of latencies, and the medians of the first and the last fifth."""
    cases = []
    for samples in [
        rng.gamma(9, 0.3, 50),
        np.linspace(1, 3, 11),
        np.array([2.0] * 50 + [4.0] * 25),
        np.array([3.0]),
    ]:
        times = samples.round(4)
        sustained = summarise_sustained(times, 1.0)
        cases.append(
            {
                "samples": times.tolist(),
                "percentiles": {str(p): float(np.percentile(times, p)) for p in (50, 90, 95, 99)},
                "fifths": [sustained.first_fifth_p50_ms, sustained.last_fifth_p50_ms],
            }
        )
    return cases


class EarlierMetadata:
    """Metadata of an earlier format, which `embed_metadata` embeds like the present one."""

    def __init__(self, values: Json):
        self.values = values

    def model_dump_json(self) -> str:
        """Return the metadata as JSON."""
        return json.dumps(self.values)


def metadata() -> list[Json]:
    """Return files that contain only metadata: the expected metadata, null if there is none, or the error."""
    empty = schema.ModelT()
    empty.buffers, empty.subgraphs, empty.operatorCodes = [schema.BufferT()], [], []
    without_entries = pack_model(empty)
    other_entry = schema.MetadataT()
    other_entry.name, other_entry.buffer = "min_runtime_version", 0
    empty.metadata = [other_entry]
    present = Metadata.model_validate(METADATA | {"training_groups": TRAINING_GROUPS})
    earlier = Metadata.model_validate(METADATA)
    file = embed_metadata(pack_model(empty), present)
    format_2_values = earlier.model_dump(mode="json", exclude={"training_groups"}) | {"format": 2}
    format_1, format_2 = (
        embed_metadata(pack_model(empty), EarlierMetadata(values))  # type: ignore[arg-type]
        for values in (FORMAT_1_METADATA, format_2_values)
    )

    def pack(content: bytes) -> Json:
        return pack_array(np.frombuffer(content, np.uint8))

    return [
        {"file": pack(file), "metadata": present.model_dump(mode="json")},
        {"file": pack(without_entries), "metadata": None},
        {"file": pack(file.replace(b'"format":3', b'"format":9')), "error": "metadata cannot be read"},
        {"file": pack(file.replace(b'"size":32', b'"size":xy')), "error": "metadata cannot be read"},
        {"file": pack(b"no model at all"), "error": "not a TFLite file"},
        {"file": pack(b""), "error": "not a TFLite file"},
        {"file": pack(format_1), "metadata": earlier.model_dump(mode="json")},
        {"file": pack(format_2), "metadata": earlier.model_dump(mode="json")},
    ]


def pack_model(model: Any) -> bytes:
    """Return a model as the bytes of a TFLite file."""
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def vectors() -> dict[str, list[Any]]:
    """Return all cases by their subject."""
    rng = np.random.default_rng(0)
    return {
        "skeleton": [{"joints": JOINTS, "limbs": LIMBS}],
        "crops": crops(rng),
        "affines": affines(rng),
        "windows": windows(),
        "searches": searches(),
        "decodings": decodings(rng),
        "drawings": drawings(rng),
        "latencies": latencies(rng),
        "metadata": metadata(),
    }


def write(path: Path) -> None:
    """Write the cases as JSON with one case per line."""
    parts = [f'"{name}": [\n' + ",\n".join(map(json.dumps, cases)) + "\n]" for name, cases in vectors().items()]
    with atomic_file(path) as beside:
        beside.write_text("{\n" + ",\n".join(parts) + "\n}\n")


if __name__ == "__main__":
    write(FILE)
