import numpy as np

from splitpose.crops import tfrecords
from splitpose.crops.crop import Crop
from splitpose.training import batches as module
from splitpose.training.batches import batch_ids, training_batches


def crop(number):
    joints = np.full((11, 2), float(number), np.float32)
    pixels = np.full((32, 32, 3), [10, 20, 30 + number], np.uint8)
    return Crop(f"instance-{number}", pixels, joints, np.arange(6, dtype=np.float32).reshape(2, 3))


def test_batches_are_seeded_infinite_and_complete(tmp_path):
    for file in range(3):
        tfrecords.write((tfrecords.encode(crop(k)) for k in range(file, 8, 3)), tmp_path / f"train-{file}.tfrecord")

    def read_numbers(seed):
        batches = training_batches(tmp_path, 32, batch_size=4, seed=seed)
        return [joints.numpy()[:, 0, 0].astype(int).tolist() for _, joints in batches.take(6)]

    assert read_numbers(1) == read_numbers(1)
    assert read_numbers(1) != read_numbers(2)
    flat = [number for batch in read_numbers(1) for number in batch]
    for start in (0, 8, 16):
        assert sorted(flat[start : start + 8]) == list(range(8))
    assert flat[:8] != flat[8:16]


def test_pixels_equal_those_read_for_evaluation(tmp_path):
    tfrecords.write([tfrecords.encode(crop(4))], tmp_path / "train-0.tfrecord")
    pixels, _ = next(iter(training_batches(tmp_path, 32, batch_size=1, seed=0)))
    np.testing.assert_array_equal(pixels.numpy()[0], next(tfrecords.read(tmp_path, "train")).pixels)


def test_instances_of_one_file_are_spread_over_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SHUFFLE_BUFFER", 2)  # so that only interleaving mixes files
    for file in range(4):
        records = (tfrecords.encode(crop(k)) for k in range(10 * file, 10 * file + 10))
        tfrecords.write(records, tmp_path / f"train-{file}.tfrecord")
    batches = training_batches(tmp_path, 32, batch_size=8, seed=0)
    files = [set((joints.numpy()[:, 0, 0] // 10).tolist()) for _, joints in batches.take(5)]
    assert all(len(files_in_batch) >= 3 for files_in_batch in files)


def test_batches_begin_at_a_position_and_have_known_ids(tmp_path):
    for file in range(3):
        tfrecords.write((tfrecords.encode(crop(k)) for k in range(file, 8, 3)), tmp_path / f"train-{file}.tfrecord")

    def numbers(position, count):
        batches = training_batches(tmp_path, 32, batch_size=3, seed=1, position=position)
        return [joints.numpy()[:, 0, 0].astype(int).tolist() for _, joints in batches.take(count)]

    expected = numbers(0, 9)  # three epochs of 8 instances
    for position in (1, 4, 7):
        assert numbers(position, 9 - position) == expected[position:]
        ids = batch_ids(tmp_path, batch_size=3, seed=1, position=position)
        assert ids == [f"instance-{number}" for number in expected[position]]
