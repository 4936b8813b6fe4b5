"""Running a TFLite file with LiteRT and XNNPACK, as on a phone."""

from pathlib import Path

import numpy as np

from splitpose.errors import InputError


class Runtime:
    """A TFLite interpreter for one file with one image input and one output."""

    def __init__(self, path: Path, threads: int = 1):
        """Load a file.

        Raises:
            InputError: the file is missing or not a TFLite file.
        """
        from ai_edge_litert.interpreter import Interpreter

        if not path.is_file():
            raise InputError(f"{path}: no such TFLite file")
        try:
            self._interpreter = Interpreter(model_path=str(path), num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise InputError(f"{path}: not a TFLite file that runs here ({error})") from error
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]

    @property
    def size(self) -> int:
        """Side of the input crops in px."""
        return int(self._input["shape"][1])

    @property
    def output_shapes(self) -> list[tuple[int, ...]]:
        """Shapes of all outputs, also of those that `run` does not return."""
        return [tuple(map(int, output["shape"])) for output in self._interpreter.get_output_details()]

    def run(self, crops: np.ndarray) -> np.ndarray:
        """Return the outputs (N, ...) for crops (N, S, S, 3) uint8 RGB, run one after the other."""
        outputs = []
        for crop in crops:
            self._interpreter.set_tensor(self._input["index"], crop[None].astype(self._input["dtype"]))
            self._interpreter.invoke()
            outputs.append(self._interpreter.get_tensor(self._output["index"]))
        return np.concatenate(outputs)
