"""What a TFLite file says of itself: all that is needed to use it, as JSON in the file's own metadata."""

import struct
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from splitpose.codecs import Codec, Coordinates, Heatmaps
from splitpose.errors import InputError
from splitpose.settings import Decoding, RegionFrom, Strict, Viewpoint
from splitpose.skeleton import JOINTS

NAME = "splitpose"
"""Of the entry in the file's metadata."""


class Metadata(Strict):
    """How a file is fed and read, and what it was made from.

    The input is one crop (1, size, size, 3), `colours` in `channel_range`. `region_from` and `padding` are
    those of the crops that the model was trained on: a square of `padding` times the longer side of that box.
    """

    format: Literal[1] = 1
    variant: str
    precision: str
    joints: tuple[str, ...] = JOINTS
    viewpoint: Viewpoint
    size: int
    colours: Literal["RGB"] = "RGB"
    channel_range: tuple[int, int] = (0, 255)
    region_from: RegionFrom
    padding: float
    output: Literal["coordinates", "heatmaps"]
    heatmap_fwhm: float | None
    decoding: Decoding | None
    weights_sha256: str
    crops_sha256: str

    def codec(self) -> Codec:
        """What reads joints from the file's output."""
        if self.output == "coordinates" or self.heatmap_fwhm is None or self.decoding is None:
            return Coordinates(self.size)
        return Heatmaps(self.size, self.heatmap_fwhm, self.decoding)


def embed_metadata(content: bytes, card: Metadata) -> bytes:
    """The TFLite file `content` with the card in its metadata; nothing else changes."""
    import flatbuffers  # type: ignore[import-untyped]
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content)
    text = schema.BufferT()
    text.data = list(card.model_dump_json().encode())
    entry = schema.MetadataT()
    entry.name, entry.buffer = NAME, len(model.buffers)
    model.buffers.append(text)
    model.metadata = [*(model.metadata or []), entry]
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def read(path: Path) -> Metadata | None:
    """The card of a TFLite file, None if it has none (it is not of this project, or older).

    Raises InputError naming a file that is missing, no TFLite file, or whose card cannot be understood.
    """
    from ai_edge_litert import schema_py_generated as schema

    if not path.is_file():
        raise InputError(f"{path}: no such TFLite file; `dvc repro convert` makes models/*/*.tflite")
    content = path.read_bytes()
    if not schema.Model.ModelBufferHasIdentifier(content, 0):
        raise InputError(f"{path}: not a TFLite file")
    try:
        text = _text(schema.Model.GetRootAs(content))
    except (struct.error, IndexError, ValueError) as error:  # it points past its own end
        raise InputError(f"{path}: not a whole TFLite file; copy or convert it anew") from error
    if text is None:
        return None
    try:
        return Metadata.model_validate_json(text)
    except ValidationError as error:
        raise InputError(f"{path}: its card cannot be read ({_first(error)}); convert the model anew") from error


def _text(model: Any) -> bytes | None:
    """The card's JSON, None if there is no card."""
    entries = [model.Metadata(number) for number in range(model.MetadataLength())]
    found = [entry for entry in entries if entry.Name() == NAME.encode()]
    return model.Buffers(found[0].Buffer()).DataAsNumpy().tobytes() if found else None


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def output_of(codec: Codec) -> tuple[Literal["coordinates", "heatmaps"], float | None, Decoding | None]:
    """A card's `output`, `heatmap_fwhm` and `decoding` for a codec."""
    if isinstance(codec, Heatmaps):
        return "heatmaps", codec.fwhm, codec.decoding
    return "coordinates", None, None
