"""Metadata embedded in a TFLite file as JSON: everything that is required to run the file."""

import json
import struct
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from splitpose.codecs import Codec, Coordinates, Heatmaps
from splitpose.errors import InputError
from splitpose.settings import Decoding, RegionFrom, Strict, Viewpoint
from splitpose.skeleton import JOINTS

ENTRY_NAME = "splitpose"
"""Name of the entry in the TFLite file's metadata table."""

FORMAT_1_KEYS = {
    "colours": "channel_order",
    "crop_around": "region_from",
    "crop_margin": "padding",
    "heatmap_width": "heatmap_fwhm",
}
"""Keys of format 1 and their names in later formats."""


class Metadata(Strict):
    """Input and output conventions of a TFLite file, and the data that it was built from.

    The input is one crop (1, size, size, 3) with channels in `channel_order`, values in `channel_range`.
    `region_from` and `padding` are the crop policy of the training crops: a square whose side is `padding` times
    the longer side of the person's box. `heatmap_fwhm` and `decoding` are None for coordinate outputs.
    `person_threshold` is the mean confidence below which a predicted region shows no person, None if it is not
    calibrated, as for coordinate outputs. `training_groups` is the record of the groups that the model was trained
    on (`data.training_groups`), None if it is unknown, as in files of formats 1 and 2.
    """

    format: Literal[3] = 3
    variant: str
    precision: str
    joints: tuple[str, ...] = JOINTS
    viewpoint: Viewpoint
    size: int
    channel_order: Literal["RGB"] = "RGB"
    channel_range: tuple[int, int] = (0, 255)
    region_from: RegionFrom
    padding: float
    output: Literal["coordinates", "heatmaps"]
    heatmap_fwhm: float | None
    decoding: Decoding | None
    weights_sha256: str
    crops_sha256: str
    person_threshold: float | None = None
    training_groups: dict[str, Any] | None = None

    def codec(self) -> Codec:
        """Return the codec that decodes the file's output."""
        if self.output == "coordinates" or self.heatmap_fwhm is None or self.decoding is None:
            return Coordinates(self.size)
        return Heatmaps(self.size, self.heatmap_fwhm, self.decoding)


def describe_codec(codec: Codec) -> tuple[Literal["coordinates", "heatmaps"], float | None, Decoding | None]:
    """Return the metadata's `output`, `heatmap_fwhm` and `decoding` for a codec."""
    if isinstance(codec, Heatmaps):
        return "heatmaps", codec.fwhm, codec.decoding
    return "coordinates", None, None


def embed_metadata(content: bytes, metadata: Metadata) -> bytes:
    """Return the TFLite file `content` with the metadata added; nothing else changes."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content)
    buffer = schema.BufferT()
    buffer.data = list(metadata.model_dump_json().encode())
    entry = schema.MetadataT()
    entry.name, entry.buffer = ENTRY_NAME, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*(model.metadata or []), entry]
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def read_metadata(path: Path) -> Metadata | None:
    """Read the metadata of a TFLite file, None if it has none.

    Files of earlier versions (formats 1 and 2) are read too.

    Raises:
        InputError: the file is missing or not a TFLite file, or its metadata is not valid.
    """
    from ai_edge_litert import schema_py_generated as schema

    if not path.is_file():
        raise InputError(f"{path}: no such TFLite file")
    content = path.read_bytes()
    if not schema.Model.ModelBufferHasIdentifier(content, 0):
        raise InputError(f"{path}: not a TFLite file")
    try:
        text = _embedded_json(schema.Model.GetRootAs(content))
    except (struct.error, IndexError, ValueError) as error:  # an offset beyond the end of the file
        raise InputError(f"{path}: the TFLite file is damaged or truncated; copy or convert it again") from error
    if text is None:
        return None
    try:
        return Metadata.model_validate_json(_upgraded(text))
    except ValidationError as error:
        raise InputError(f"{path}: metadata cannot be read ({_reason(error)}); convert the model again") from error


def require_metadata(path: Path) -> Metadata:
    """Read the metadata of a TFLite file that must have it.

    Raises:
        InputError: as `read_metadata`, or the file has no metadata.
    """
    metadata = read_metadata(path)
    if metadata is None:
        raise InputError(f"{path}: has no splitpose metadata; convert the model again")
    return metadata


def _embedded_json(model: Any) -> bytes | None:
    """Return the JSON of the entry named `ENTRY_NAME`, None if there is none."""
    entries = [model.Metadata(index) for index in range(model.MetadataLength())]
    buffers = [model.Buffers(entry.Buffer()) for entry in entries if entry.Name() == ENTRY_NAME.encode()]
    return buffers[0].DataAsNumpy().tobytes() if buffers else None


def _upgraded(text: bytes) -> bytes:
    """Return the JSON in format 3: formats 1 and 2 are translated, anything else is returned unchanged."""
    try:
        values = json.loads(text)
    except ValueError:
        return text  # reported by the validation
    if not isinstance(values, dict) or values.get("format") not in (1, 2):
        return text
    if values["format"] == 1:
        values = {FORMAT_1_KEYS.get(key, key): value for key, value in values.items()}
        if values.get("region_from") == "box":
            values["region_from"] = "bbox"
    return json.dumps(values | {"format": 3}).encode()


def _reason(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
