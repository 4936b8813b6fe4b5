"""What a TFLite file is made of: inputs, operators and their multiply-adds. Nothing of it is run."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from splitpose.benchmark.schema import OperatorCount
from splitpose.errors import InputError

NOISE = (np.floating, np.integer, np.bool_)
"""Kinds of inputs that random values can be made of."""


@dataclass(frozen=True)
class Input:
    """One input of a model; open dimensions are 1."""

    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Content:
    """A TFLite file."""

    bytes: int
    sha256: str
    inputs: tuple[Input, ...]
    operators: tuple[OperatorCount, ...]

    @property
    def multiply_adds(self) -> int:
        """Of all operators together."""
        return sum(operator.multiply_adds for operator in self.operators)


def content(path: Path) -> Content:
    """Read a file.

    Counted are convolutions, transposed and depthwise ones, fully connected layers and matrix products of the main
    graph; biases, activations and everything else is left out, as usual.

    Raises InputError naming a file that is missing, no TFLite file, or has an input that no noise can be made of.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    if not path.is_file():
        raise InputError(f"{path}: no such TFLite file; `dvc repro convert` makes models/*/*.tflite")
    try:
        plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        interpreter = Interpreter(model_path=str(path), experimental_op_resolver_type=plain)
    except (ValueError, RuntimeError) as error:
        raise InputError(f"{path}: not a TFLite file ({' '.join(str(error).split())})") from error
    details = interpreter.get_input_details()
    for detail in details:
        if not issubclass(detail["dtype"], NOISE):
            kind = np.dtype(detail["dtype"]).name
            raise InputError(
                f"{path}: input {detail['name']!r} is {kind}; only numbers and booleans can be benchmarked"
            )
    shapes = {tensor["index"]: tensor["shape"] for tensor in interpreter.get_tensor_details()}
    return Content(
        bytes=path.stat().st_size,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        inputs=tuple(Input(tuple(int(n) for n in d["shape"]), np.dtype(d["dtype"]).name) for d in details),
        operators=_counted(interpreter._get_ops_details(), shapes),
    )


def _counted(operators: list[dict[str, Any]], shapes: Mapping[int, np.ndarray]) -> tuple[OperatorCount, ...]:
    """By type, the one with the most multiply-adds first."""
    counts: Counter[str] = Counter()
    work: Counter[str] = Counter()
    for operator in operators:
        tensors = [[int(n) for n in shapes.get(i, ())] for i in operator["inputs"]]
        (output, *_) = [[int(n) for n in shapes[i]] for i in operator["outputs"]] or [[]]
        counts[operator["op_name"]] += 1
        work[operator["op_name"]] += multiply_adds(operator["op_name"], tensors, output)
    names = sorted(counts, key=lambda name: (-work[name], -counts[name], name))
    return tuple(OperatorCount(name=name, count=counts[name], multiply_adds=work[name]) for name in names)


def multiply_adds(name: str, inputs: list[list[int]], output: list[int]) -> int:
    """Of one operator, from the shapes of its inputs (weights among them) and of its first output.

    Kernels lie as TFLite has them: convolutions (out, height, width, in of a group), depthwise ones (1, height,
    width, out), fully connected ones (out, in); the transposed one's inputs are output shape, kernel, picture.
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
