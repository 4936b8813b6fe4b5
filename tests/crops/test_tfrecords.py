import numpy as np
import pytest

from splitpose.crops import tfrecords
from splitpose.crops.crop import Crop
from splitpose.errors import InputError


def crop(number):
    joints = np.full((11, 2), float(number), np.float32)
    joints[3] = np.nan
    pixels = np.full((32, 32, 3), [10, 20, 30 + number], np.uint8)
    return Crop(f"instance-{number}", pixels, joints, np.arange(6, dtype=np.float32).reshape(2, 3))


def test_written_crops_are_read(tmp_path):
    tfrecords.write((tfrecords.encode(crop(k)) for k in range(2)), tmp_path / "val-a-0.tfrecord")
    tfrecords.write([tfrecords.encode(crop(2))], tmp_path / "val-a-1.tfrecord")
    crops = list(tfrecords.read(tmp_path, "val"))
    assert [crop.id for crop in crops] == ["instance-0", "instance-1", "instance-2"]
    assert tfrecords.count(tmp_path, "val") == 3
    np.testing.assert_array_equal(crops[2].joints, crop(2).joints)
    np.testing.assert_array_equal(crops[2].to_crop, crop(2).to_crop)
    # Written as BGR, read as RGB; JPEG changes a uniform colour by up to 2 levels.
    np.testing.assert_allclose(crops[2].pixels[5, 5].astype(int), [32, 20, 10], atol=2)


def test_missing_shards_are_reported(tmp_path):
    with pytest.raises(InputError, match=r"no train-\*.tfrecord in this folder; create the crops first"):
        tfrecords.list_shards(tmp_path, "train")


def test_damaged_file_is_reported(tmp_path):
    path = tmp_path / "val-0.tfrecord"
    tfrecords.write((tfrecords.encode(crop(k)) for k in range(3)), path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(
        InputError, match=r"val-0.tfrecord: damaged TFRecord file; delete it and create the crops again"
    ):
        list(tfrecords.read(tmp_path, "val"))
