import numpy as np

from splitpose.crops import tfrecords
from splitpose.crops.crop import Crop
from splitpose.training import batches as module
from splitpose.training.batches import training_batches, training_ids


def crop(number):
    joints = np.full((11, 2), float(number), np.float32)
    pixels = np.full((32, 32, 3), [10, 20, 30 + number], np.uint8)
    return Crop(f"person-{number}", pixels, joints, np.arange(6, dtype=np.float32).reshape(2, 3))


def test_training_batches_are_seeded_endless_and_whole(tmp_path):
    for file in range(3):
        tfrecords.write((tfrecords.encode(crop(k)) for k in range(file, 8, 3)), tmp_path / f"train-{file}.tfrecord")

    def rounds(seed):
        batches = training_batches(tmp_path, 32, batch=4, seed=seed)
        return [joints.numpy()[:, 0, 0].astype(int).tolist() for _, joints in batches.take(6)]

    assert rounds(1) == rounds(1)
    assert rounds(1) != rounds(2)
    flat = [number for batch in rounds(1) for number in batch]
    for start in (0, 8, 16):
        assert sorted(flat[start : start + 8]) == list(range(8))
    assert flat[:8] != flat[8:16]


def test_training_reads_the_same_pixels_as_evaluation(tmp_path):
    tfrecords.write([tfrecords.encode(crop(4))], tmp_path / "train-0.tfrecord")
    pixels, _ = next(iter(training_batches(tmp_path, 32, batch=1, seed=0)))
    np.testing.assert_array_equal(pixels.numpy()[0], next(tfrecords.read(tmp_path, "train")).pixels)


def test_people_of_one_file_do_not_stand_together_in_training(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SHUFFLED", 2)  # too few to mix files: reading them in turns must
    for file in range(4):
        of_file = (tfrecords.encode(crop(k)) for k in range(10 * file, 10 * file + 10))
        tfrecords.write(of_file, tmp_path / f"train-{file}.tfrecord")
    batches = training_batches(tmp_path, 32, batch=8, seed=0)
    files = [set((joints.numpy()[:, 0, 0] // 10).tolist()) for _, joints in batches.take(5)]
    assert all(len(of_batch) >= 3 for of_batch in files)


def test_batches_go_on_at_a_position_and_are_known_by_their_people(tmp_path):
    for file in range(3):
        tfrecords.write((tfrecords.encode(crop(k)) for k in range(file, 8, 3)), tmp_path / f"train-{file}.tfrecord")

    def numbers(position, count):
        batches = training_batches(tmp_path, 32, batch=3, seed=1, position=position)
        return [joints.numpy()[:, 0, 0].astype(int).tolist() for _, joints in batches.take(count)]

    from_the_start = numbers(0, 9)  # three rounds of 8 people
    for position in (1, 4, 7):
        assert numbers(position, 9 - position) == from_the_start[position:]
        people = training_ids(tmp_path, batch=3, seed=1, position=position)
        assert people == [f"person-{number}" for number in from_the_start[position]]
