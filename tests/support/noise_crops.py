"""Training and validation crops of noise."""

from pathlib import Path

import numpy as np

from splitpose.crops import tfrecords
from splitpose.crops.crop import Crop
from splitpose.data.training_groups import TrainingGroups
from splitpose.data.training_groups_files import write_crop_groups

SIZE = 32


def write_noise_crops(folder: Path) -> Path:
    """Write 20 training and 6 validation crops of two groups, and return the folder."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for split, count in (("train", 20), ("val", 6)):
        pixels = rng.integers(0, 256, (count, SIZE, SIZE, 3), np.uint8)
        joints = rng.uniform(4, 28, (count, 11, 2)).astype(np.float32)
        crops = [Crop(f"{split}-{k}", pixels[k], joints[k], np.zeros((2, 3))) for k in range(count)]
        tfrecords.write(map(tfrecords.encode, crops), folder / f"{split}-0.tfrecord")
    write_crop_groups(folder, TrainingGroups(listed=frozenset({1, 2})))
    return folder
