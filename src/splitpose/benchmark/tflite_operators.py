"""Inputs, operators and MACs of a TFLite file, read without running it."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from splitpose.benchmark.model_inputs import ModelInputs, ResolvedInputs, resolve_inputs, write_inputs, write_shapes
from splitpose.benchmark.schema import OperatorCount
from splitpose.errors import InputError, one_line

RANDOM_TYPES = (np.floating, np.integer, np.bool_)
"""Types of inputs for which random values can be generated."""


Buffer = bytes


@dataclass(frozen=True)
class InputSpec:
    """Shape and dtype of a model's input."""

    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class TfliteFile:
    """Size, hash, inputs and operators of a TFLite file."""

    bytes: int
    sha256: str
    inputs: tuple[InputSpec, ...]
    operators: tuple[OperatorCount, ...]
    resolved: ResolvedInputs
    measured: Buffer = field(repr=False)
    """The file with the signature and shapes that are measured."""

    @property
    def macs(self) -> int:
        """Total MACs of all operators."""
        return sum(operator.macs for operator in self.operators)


def inspect_tflite(path: Path, inputs: ModelInputs = ModelInputs()) -> TfliteFile:  # noqa: B008 (immutable)
    """Read the inputs and operators of a TFLite file, of one of its signatures with the given input shapes.

    MACs are counted for convolutions (also transposed and depthwise), fully connected layers and matrix products in
    the main graph. Biases, activations and all other operators are not counted, as is customary.

    Raises:
        InputError: the file is missing, is not a TFLite file, has an input that is neither numbers nor booleans, or
            does not have the signature or accept the shapes (see `resolve_inputs`).
    """
    if not path.is_file():
        raise InputError(f"{path}: no such TFLite file")
    original = content = path.read_bytes()
    try:
        interpreter = _interpreter(original)
    except (ValueError, RuntimeError) as error:
        raise InputError(f"{path}: not a TFLite file ({one_line(error)})") from error
    resolved = resolve_inputs(interpreter, path, inputs)
    if not resolved.is_original:
        content = write_inputs(original, resolved)
        interpreter = _interpreter(content)
    if resolved.tensors:
        try:
            interpreter.allocate_tensors()  # computes the shapes of the other tensors
        except (ValueError, RuntimeError) as error:
            given = ", ".join(f"{name}={','.join(map(str, shape))}" for name, shape in resolved.shapes.items())
            raise InputError(f"{path}: does not accept the shapes {given}: {one_line(error)}") from error
        tensors = interpreter.get_tensor_details()
        content = write_shapes(content, {tensor["index"]: tuple(map(int, tensor["shape"])) for tensor in tensors})
    details = interpreter.get_input_details()
    for detail in details:
        if not issubclass(detail["dtype"], RANDOM_TYPES):
            dtype = np.dtype(detail["dtype"]).name
            raise InputError(
                f"{path}: input {detail['name']!r} is {dtype}; only numbers and booleans can be benchmarked"
            )
    shapes = {tensor["index"]: tensor["shape"] for tensor in interpreter.get_tensor_details()}
    return TfliteFile(
        bytes=len(original),
        sha256=hashlib.sha256(original).hexdigest(),
        inputs=tuple(InputSpec(tuple(int(n) for n in d["shape"]), np.dtype(d["dtype"]).name) for d in details),
        operators=_count_operators(interpreter._get_ops_details(), shapes),
        resolved=resolved,
        measured=content,
    )


def _interpreter(content: bytes) -> Any:
    """Return LiteRT's interpreter of a file, without a delegate."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    without_delegate = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    return Interpreter(model_content=content, experimental_op_resolver_type=without_delegate)


def _count_operators(
    operators: list[dict[str, Any]], shapes: Mapping[int, np.ndarray]
) -> tuple[OperatorCount, ...]:
    """Count operators and MACs by type, in descending order of MACs."""
    counts: Counter[str] = Counter()
    macs: Counter[str] = Counter()
    for operator in operators:
        inputs = [[int(n) for n in shapes.get(i, ())] for i in operator["inputs"]]
        (output, *_) = [[int(n) for n in shapes[i]] for i in operator["outputs"]] or [[]]
        counts[operator["op_name"]] += 1
        macs[operator["op_name"]] += count_macs(operator["op_name"], inputs, output)
    names = sorted(counts, key=lambda name: (-macs[name], -counts[name], name))
    return tuple(OperatorCount(name=name, count=counts[name], macs=macs[name]) for name in names)


def count_macs(name: str, inputs: list[list[int]], output: list[int]) -> int:
    """Return the MACs of one operator.

    TFLite's kernel layouts are (out, height, width, in per group) for convolutions, (1, height, width, out) for
    depthwise convolutions and (out, in) for fully connected layers. The inputs of a transposed convolution are
    output shape, kernel and image.

    Args:
        name: the operator's type in TFLite's schema, e.g. CONV_2D.
        inputs: shapes of all inputs, weights included.
        output: shape of the first output.
    """
    if name == "CONV_2D":
        return prod(output) * prod(inputs[1][1:])
    if name == "DEPTHWISE_CONV_2D":
        return prod(output) * prod(inputs[1][1:3])
    if name == "FULLY_CONNECTED":
        return prod(output) * inputs[1][-1]
    if name == "TRANSPOSE_CONV":
        return prod(inputs[2]) * prod(inputs[1][:3])
    if name == "BATCH_MATMUL":
        return prod(output) * inputs[0][-1]
    return 0
