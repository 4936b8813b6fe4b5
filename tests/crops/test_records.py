import numpy as np
import pytest

from splitpose.crops import records
from splitpose.crops.crop import Crop
from splitpose.errors import InputError


def crop(number):
    joints = np.full((11, 2), float(number), np.float32)
    joints[3] = np.nan
    pixels = np.full((32, 32, 3), [10, 20, 30 + number], np.uint8)
    return Crop(f"person-{number}", pixels, joints, np.arange(6, dtype=np.float32).reshape(2, 3))


def test_what_is_written_is_read(tmp_path):
    records.write((records.encode(crop(k)) for k in range(2)), tmp_path / "val-a-0.tfrecord")
    records.write([records.encode(crop(2))], tmp_path / "val-a-1.tfrecord")
    read = list(records.read(tmp_path, "val", 32))
    assert [one.id for one in read] == ["person-0", "person-1", "person-2"]
    assert records.count(tmp_path, "val") == 3
    np.testing.assert_array_equal(read[2].joints, crop(2).joints)
    np.testing.assert_array_equal(read[2].to_crop, crop(2).to_crop)
    # Written BGR, read RGB; a plain colour survives JPEG within 2 levels.
    np.testing.assert_allclose(read[2].pixels[5, 5].astype(int), [32, 20, 10], atol=2)


def test_training_batches_are_seeded_endless_and_whole(tmp_path):
    for file in range(3):
        records.write((records.encode(crop(k)) for k in range(file, 8, 3)), tmp_path / f"train-{file}.tfrecord")

    def rounds(seed):
        batches = records.training_batches(tmp_path, 32, batch=4, seed=seed)
        return [joints.numpy()[:, 0, 0].astype(int).tolist() for _, joints in batches.take(6)]

    assert rounds(1) == rounds(1)
    assert rounds(1) != rounds(2)
    flat = [number for batch in rounds(1) for number in batch]
    for start in (0, 8, 16):
        assert sorted(flat[start : start + 8]) == list(range(8))
    assert flat[:8] != flat[8:16]


def test_training_reads_the_same_pixels_as_evaluation(tmp_path):
    records.write([records.encode(crop(4))], tmp_path / "train-0.tfrecord")
    pixels, _ = next(iter(records.training_batches(tmp_path, 32, batch=1, seed=0)))
    np.testing.assert_array_equal(pixels.numpy()[0], next(records.read(tmp_path, "train", 32)).pixels)


def test_no_files(tmp_path):
    with pytest.raises(InputError, match=r"no train-\*.tfrecord there; run the augment stage"):
        records.files(tmp_path, "train")


def test_people_of_one_file_do_not_stand_together_in_training(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "SHUFFLED", 2)  # too few to mix files: reading them in turns must
    for file in range(4):
        of_file = (records.encode(crop(k)) for k in range(10 * file, 10 * file + 10))
        records.write(of_file, tmp_path / f"train-{file}.tfrecord")
    batches = records.training_batches(tmp_path, 32, batch=8, seed=0)
    files = [set((joints.numpy()[:, 0, 0] // 10).tolist()) for _, joints in batches.take(5)]
    assert all(len(of_batch) >= 3 for of_batch in files)


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "val-0.tfrecord"
    records.write((records.encode(crop(k)) for k in range(3)), path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"val-0.tfrecord: damaged; delete it and run `dvc repro augment`"):
        list(records.read(tmp_path, "val", 32))


def test_batches_go_on_at_a_position_and_are_known_by_their_people(tmp_path):
    for file in range(3):
        records.write((records.encode(crop(k)) for k in range(file, 8, 3)), tmp_path / f"train-{file}.tfrecord")

    def numbers(position, count):
        batches = records.training_batches(tmp_path, 32, batch=3, seed=1, position=position)
        return [joints.numpy()[:, 0, 0].astype(int).tolist() for _, joints in batches.take(count)]

    from_the_start = numbers(0, 9)  # three rounds of 8 people
    for position in (1, 4, 7):
        assert numbers(position, 9 - position) == from_the_start[position:]
        people = records.training_ids(tmp_path, batch=3, seed=1, position=position)
        assert people == [f"person-{number}" for number in from_the_start[position]]
