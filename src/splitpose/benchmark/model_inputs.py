"""The signature and the input shapes with which a TFLite file is measured.

A file may have several signatures and inputs of open size, for example images of any height. The chosen ones are
written into a copy of the file, so that every target measures them without options of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from splitpose.errors import InputError

SUBGRAPH_ATTRIBUTES = (
    *("condSubgraphIndex", "bodySubgraphIndex", "thenSubgraphIndex", "elseSubgraphIndex", "initSubgraphIndex"),
    *("subgraph", "decompositionSubgraphIndex", "bodySubgraphIndex", "comparatorSubgraphIndex"),
)
"""Attributes of control-flow operators that name a subgraph (TFLite's schema)."""


@dataclass(frozen=True)
class ModelInputs:
    """The signature to measure, None for the first, and the shapes of inputs as on the command line."""

    signature: str | None = None
    shapes: tuple[str, ...] = ()
    """SHAPE or NAME=SHAPE, where SHAPE is a list of sizes such as 1,224,224,3."""


@dataclass(frozen=True)
class ResolvedInputs:
    """What is measured of a file."""

    signature: str | None
    """None if the file has no signatures."""
    others: tuple[str, ...]
    """The file's other signatures."""
    subgraph: int
    shapes: dict[str, tuple[int, ...]]
    """Shape of each input by its name in the signature, or by the tensor's name without a signature."""
    tensors: dict[int, tuple[int, ...]]
    """Shape of each input by the index of its tensor, if it differs from the file's."""

    @property
    def is_original(self) -> bool:
        """Whether the file itself can be measured."""
        return self.subgraph == 0 and not self.tensors and not self.others


def resolve_inputs(interpreter: Any, path: Path, inputs: ModelInputs) -> ResolvedInputs:
    """Return the signature and the input shapes to measure.

    An open first dimension, the batch, is 1 if it is not given.

    Args:
        interpreter: LiteRT's interpreter of the file, whose tensors need not be allocated.
        path: the file, for messages.
        inputs: the signature and shapes that were chosen.

    Raises:
        InputError: the file has no such signature or input, a shape does not fit, or the size of an input is open
            and not given.
    """
    signatures: dict[str, Any] = interpreter._get_full_signature_list()
    subgraphs = {name: interpreter._interpreter.GetSubgraphIndexFromSignature(name) for name in signatures}
    signature = inputs.signature
    if signature is not None and signature not in signatures:
        known = ", ".join(signatures) or "none"
        raise InputError(f"{path}: has no signature {signature!r}; its signatures: {known}")
    if signature is None:
        signature = next((name for name, subgraph in subgraphs.items() if subgraph == 0), None)
    details = (
        {detail["name"]: detail for detail in interpreter.get_input_details()}
        if signature is None
        else interpreter.get_signature_runner(signature).get_input_details()
    )
    given = _parse_shapes(inputs.shapes, details, path)
    shapes = {name: _shape(name, detail, given.get(name), path) for name, detail in details.items()}
    return ResolvedInputs(
        signature=signature,
        others=tuple(name for name in signatures if name != signature),
        subgraph=0 if signature is None else int(subgraphs[signature]),
        shapes=shapes,
        tensors={
            int(detail["index"]): shapes[name]
            for name, detail in details.items()
            if shapes[name] != tuple(int(size) for size in detail["shape"])
        },
    )


def write_inputs(content: bytes, resolved: ResolvedInputs) -> bytes:
    """Return a TFLite file whose main subgraph is that of the signature, and whose inputs have the shapes."""
    model = _unpack(content)
    chosen = resolved.subgraph
    model.subgraphs[0], model.subgraphs[chosen] = model.subgraphs[chosen], model.subgraphs[0]
    swapped = {0: chosen, chosen: 0}
    for subgraph in model.subgraphs:
        for operator in subgraph.operators or ():
            for options in (operator.builtinOptions, operator.builtinOptions2):
                for name in SUBGRAPH_ATTRIBUTES:
                    if hasattr(options, name):
                        setattr(options, name, swapped.get(getattr(options, name), getattr(options, name)))
    _set_shapes(model, resolved.tensors)
    key = (resolved.signature or "").encode()
    model.signatureDefs = [one for one in model.signatureDefs or () if one.signatureKey == key]
    for definition in model.signatureDefs:
        definition.subgraphIndex = 0
    return _pack(model)


def write_shapes(content: bytes, shapes: Mapping[int, tuple[int, ...]]) -> bytes:
    """Return a TFLite file whose main subgraph has tensors of these shapes, by their index.

    Indices that the file lacks, such as those of an interpreter's temporary tensors, are ignored.
    """
    model = _unpack(content)
    _set_shapes(model, shapes)
    return _pack(model)


def _set_shapes(model: Any, shapes: Mapping[int, tuple[int, ...]]) -> None:
    for index, tensor in enumerate(model.subgraphs[0].tensors):
        if index in shapes:
            tensor.shape, tensor.shapeSignature = list(shapes[index]), None


def _unpack(content: bytes) -> Any:
    from ai_edge_litert import schema_py_generated as schema

    return schema.ModelT.InitFromPackedBuf(content, 0)


def _pack(model: Any) -> bytes:
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _parse_shapes(texts: Sequence[str], details: Mapping[str, Any], path: Path) -> dict[str, tuple[int, ...]]:
    """Return the given shapes by the name of their input."""
    names = {detail["name"]: name for name, detail in details.items()} | {name: name for name in details}
    shapes: dict[str, tuple[int, ...]] = {}
    for text in texts:
        name, equals, sizes = text.rpartition("=")
        if not equals and len(details) != 1:
            raise InputError(
                f"{path}: --shape {text}: has {len(details)} inputs; use NAME={text} ({_list(details)})"
            )
        name = name if equals else next(iter(details))
        if name not in names:
            raise InputError(f"{path}: --shape {text}: has no input {name!r}; its inputs: {_list(details)}")
        if names[name] in shapes:
            raise InputError(f"{path}: --shape {text}: the shape of {name!r} is given twice")
        shapes[names[name]] = _parse_sizes(sizes, text)
    return shapes


def _parse_sizes(sizes: str, text: str) -> tuple[int, ...]:
    words = [word.strip() for word in sizes.split(",")]
    if not all(word.isascii() and word.isdigit() and int(word) > 0 for word in words):
        raise InputError(f"--shape {text}: is not a list of positive sizes; write for example 1,224,224,3")
    return tuple(int(word) for word in words)


def _shape(name: str, detail: Mapping[str, Any], given: tuple[int, ...] | None, path: Path) -> tuple[int, ...]:
    """Return the shape with which an input is measured."""
    sizes = tuple(int(size) for size in detail["shape_signature"])
    if not sizes:  # of files without the field
        sizes = tuple(int(size) for size in detail["shape"])
    expected = ",".join("?" if size < 0 else str(size) for size in sizes)
    if given is None:
        given = (1, *sizes[1:]) if len(sizes) > 1 else sizes
        if any(size < 0 for size in given):
            example = ",".join(
                "1" if index == 0 else "224" if size < 0 else str(size) for index, size in enumerate(sizes)
            )
            raise InputError(
                f"{path}: the size of the input {name!r} is open ({expected}); give it with --shape, for example "
                f"--shape {name}={example}"
            )
        return given if sizes and sizes[0] < 0 else sizes
    if len(given) != len(sizes) or any(
        size >= 0 and size != other for size, other in zip(sizes, given, strict=True)
    ):
        raise InputError(
            f"{path}: --shape {','.join(map(str, given))}: does not fit the input {name!r}, which has the shape "
            f"{expected}"
        )
    return given


def _list(names: Mapping[str, Any]) -> str:
    return ", ".join(names)
