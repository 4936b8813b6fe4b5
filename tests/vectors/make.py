"""Writes vectors.json: small inputs and what Python makes of them, for Python's tests and those of web/ alike.

Run it where Python's side changes on purpose: `python tests/vectors/make.py`. Arrays are {dtype, shape, base64}.
"""

import base64
import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from splitpose.benchmark.targets.python_device import summarize_sustained
from splitpose.codecs import Codec, Coordinates, Heatmaps
from splitpose.crops.geometry import CropRegion, apply_affine, crop_affine, crop_region, invert_affine, warp_crop
from splitpose.drawing import draw_joints
from splitpose.files import atomic_file
from splitpose.inference.metadata import Metadata, embed_metadata
from splitpose.inference.sliding_window import SIDES, squares
from splitpose.skeleton import JOINTS, LIMBS

FILE = Path(__file__).with_name("vectors.json")
Json = dict[str, Any]

FACTS = {
    "variant": "final", "precision": "int8", "viewpoint": "person", "size": 32, "region_from": "bbox",
    "padding": 2.5, "output": "heatmaps", "heatmap_fwhm": 5.0, "decoding": "dark", "weights_sha256": "a" * 64,
    "crops_sha256": "b" * 64,
}  # fmt: skip


def packed(array: np.ndarray) -> Json:
    """An array as JSON."""
    content = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return {"dtype": array.dtype.name, "shape": list(array.shape), "base64": content}


def unpacked(content: Json) -> np.ndarray:
    """The array that `packed` made it of."""
    flat = np.frombuffer(base64.b64decode(content["base64"]), content["dtype"])
    return flat.reshape(content["shape"])


def crops(rng: np.random.Generator) -> list[Json]:
    """Enlarged, as it is, made smaller by 1.5, 2 (in two ways), 2.5, 3 and 7, over a border, outside."""
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
        picture = rng.integers(0, 256, (height, width, 3), np.uint8)
        crop = warp_crop(picture, crop_affine(CropRegion(x, y, side), size), size)
        region = {"x": x, "y": y, "side": side}
        cases.append({"picture": packed(picture), "region": region, "size": size, "crop": packed(crop)})
    return cases


def maps(rng: np.random.Generator) -> list[Json]:
    """A square around joints, its map, and points there and back."""
    cases = []
    for margin, size in [(1.5, 96), (2.5, 224), (1.0, 7)]:
        joints = rng.uniform(0, 400, (11, 2)).round(2)
        region = crop_region(joints, np.empty(0), "joints", margin)
        affine = crop_affine(region, size)
        cases.append(
            {
                "joints": joints.tolist(),
                "padding": margin,
                "size": size,
                "region": vars(region),
                "affine": affine.ravel().tolist(),
                "mapped": apply_affine(affine, joints).tolist(),
                "back": invert_affine(affine).ravel().tolist(),
            }
        )
    return cases


def searches() -> list[Json]:
    """The squares of a search in pictures of several shapes, (x, y, side) each."""
    cases = []
    for width, height in [(640, 480), (333, 777), (100, 100), (900, 20), (1, 1)]:
        found = [[each.x, each.y, each.side] for each in squares(width, height)]
        cases.append({"width": width, "height": height, "sides": SIDES, "squares": found})
    return cases


def decodings(rng: np.random.Generator) -> list[Json]:
    """Coordinates; bumps inside, at the border and past it, with noise; flat maps; maps without any sense."""
    cases = [decoding(Coordinates(96), rng.uniform(-0.6, 0.6, (1, 11, 2)))]
    y, x = np.mgrid[:8, :8]
    for width, kind in [(3.0, "argmax"), (3.0, "dark"), (5.0, "dark")]:
        codec = Heatmaps(32, width, kind)  # type: ignore[arg-type]
        places = np.concatenate([rng.uniform(1, 6, (6, 2)), [[0, 0], [7, 7.3], [-0.4, 4], [3.5, 7.4], [1, 6]]])
        squares = (x[..., None] - places[:, 0]) ** 2 + (y[..., None] - places[:, 1]) ** 2
        bumps = np.exp(-squares / (2 * codec.sigma**2))[None]
        cases.append(decoding(codec, bumps))
        cases.append(decoding(codec, 0.4 * bumps + rng.normal(0, 0.02, bumps.shape)))
        cases.append(decoding(codec, rng.normal(0, 1, bumps.shape)))
        cases.append(decoding(codec, np.full(bumps.shape, 0.25)))
    return cases


def decoding(codec: Codec, outputs: np.ndarray) -> Json:
    """One output of a model, and what it says."""
    outputs = outputs.astype(np.float32)
    confidence = codec.confidence(outputs)[0]
    return {
        "codec": {"kind": type(codec).__name__.lower(), **vars(codec)},
        "output": packed(outputs[0]),
        "joints": codec.decode(outputs)[0].round(5).tolist(),
        "confidence": None if np.isnan(confidence).any() else confidence.round(6).tolist(),
    }


def drawings(rng: np.random.Generator) -> list[Json]:
    """What is drawn into pictures of several sizes, by a model without confidence and one with it."""
    cases = []
    for width, height in [(64, 48), (250, 400), (900, 750), (1600, 1200)]:
        joints = rng.uniform(-5, [width, height], (11, 2)).round(2)
        for confidence in (np.full(11, np.nan), rng.uniform(0, 1, 11).round(2)):
            cases.append(
                {
                    "width": width,
                    "height": height,
                    "joints": joints.tolist(),
                    "confidence": [None if np.isnan(each) else each for each in confidence.tolist()],
                    "strokes": strokes(joints, confidence, width, height),
                }
            )
    return cases


def strokes(joints: np.ndarray, confidence: np.ndarray, width: int, height: int) -> list[Json]:
    """The lines, dots and rings that `draw_joints` asks OpenCV for, px, colours in RGB."""
    asked: list[Json] = []

    def line(_: Any, start: Any, end: Any, colour: Any, thickness: int, *rest: Any) -> None:
        points = (np.array([start, end]) / 16).tolist()
        asked.append({"points": points, "colour": list(colour[::-1]), "width": thickness})

    def circle(_: Any, middle: Any, radius: int, colour: Any, thickness: int, *rest: Any) -> None:
        points = (np.array([middle]) / 16).tolist()
        is_dot = thickness == cv2.FILLED
        size = {"width": 2 * radius / 16} if is_dot else {"width": thickness, "radius": radius / 16}
        asked.append({"points": points, "colour": list(colour[::-1]), **size})

    with patch.object(cv2, "line", line), patch.object(cv2, "circle", circle):
        draw_joints(np.zeros((height, width, 3), np.uint8), joints, confidence=confidence)
    return asked


def latencies(rng: np.random.Generator) -> list[Json]:
    """Percentiles of times, and the first and last fifth of them."""
    cases = []
    for samples in [
        rng.gamma(9, 0.3, 50),
        np.linspace(1, 3, 11),
        np.array([2.0] * 50 + [4.0] * 25),
        np.array([3.0]),
    ]:
        times, run = samples.round(4), summarize_sustained(samples.round(4), 1.0)
        cases.append(
            {
                "samples": times.tolist(),
                "percentiles": {str(p): float(np.percentile(times, p)) for p in (50, 90, 95, 99)},
                "fifths": [run.first_fifth_p50_ms, run.last_fifth_p50_ms],
            }
        )
    return cases


def cards() -> list[Json]:
    """Files of nothing but metadata; `card` null: has none, `error`: what is told."""
    empty = schema.ModelT()
    empty.buffers, empty.subgraphs, empty.operatorCodes = [schema.BufferT()], [], []
    content = packed_model(empty)
    other = schema.MetadataT()
    other.name, other.buffer = "min_runtime_version", 0
    empty.metadata = [other]
    card = Metadata.model_validate(FACTS)
    carded = embed_metadata(packed_model(empty), card)

    def file(content: bytes) -> Json:
        return packed(np.frombuffer(content, np.uint8))

    return [
        {"file": file(carded), "card": card.model_dump(mode="json")},
        {"file": file(content), "card": None},
        {"file": file(carded.replace(b'"format":2', b'"format":9')), "error": "metadata cannot be read"},
        {"file": file(carded.replace(b'"size":32', b'"size":xy')), "error": "metadata cannot be read"},
        {"file": file(b"no model at all"), "error": "not a TFLite file"},
        {"file": file(b""), "error": "not a TFLite file"},
    ]


def packed_model(model: Any) -> bytes:
    """A model as the bytes of a file."""
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def vectors() -> dict[str, list[Any]]:
    """All of them, by what they are of."""
    rng = np.random.default_rng(0)
    return {
        "skeleton": [{"joints": JOINTS, "limbs": LIMBS}],
        "crops": crops(rng),
        "maps": maps(rng),
        "searches": searches(),
        "decodings": decodings(rng),
        "drawings": drawings(rng),
        "latencies": latencies(rng),
        "cards": cards(),
    }


def write(path: Path) -> None:
    """One case a line."""
    parts = [f'"{name}": [\n' + ",\n".join(map(json.dumps, cases)) + "\n]" for name, cases in vectors().items()]
    with atomic_file(path) as beside:
        beside.write_text("{\n" + ",\n".join(parts) + "\n}\n")


if __name__ == "__main__":
    write(FILE)
