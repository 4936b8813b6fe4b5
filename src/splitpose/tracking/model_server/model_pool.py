"""A pool of loaded models, so that several threads predict at the same time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

from splitpose.inference.pose_model import PoseModel

MAX_MODELS = 8
"""Maximum number of models in a pool: each has an interpreter with buffers of its own."""


class ModelPool:
    """The same model loaded several times, because an interpreter can be used by one thread at a time."""

    def __init__(self, path: Path, size: int | None = None):
        """Load a TFLite file with metadata `size` times; the default is once per core, up to `MAX_MODELS`.

        Raises:
            InputError: the file cannot be used.
        """
        self.size = size or min(os.cpu_count() or 1, MAX_MODELS)
        self._idle: SimpleQueue[PoseModel] = SimpleQueue()
        models = [PoseModel.load(path, metadata_required=True) for _ in range(self.size)]
        self.has_person_threshold = models[0].person_threshold > 0
        for model in models:
            self._idle.put(model)

    @contextmanager
    def borrow(self) -> Iterator[PoseModel]:
        """Yield a model that no other thread uses; wait until there is one."""
        model = self._idle.get()
        try:
            yield model
        finally:
            self._idle.put(model)
