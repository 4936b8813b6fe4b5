from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from splitpose import images as pictures
from splitpose.validation import image_scan as looking
from splitpose.validation.image_scan import scan_images

NOISE = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)


def encoded(suffix: str, *options: int) -> bytes:
    return cv2.imencode(suffix, NOISE, list(options))[1].tobytes()


def turned(data: bytes) -> bytes:
    """A JPEG with an EXIF tag that turns it by a quarter."""
    tag = b"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00"
    exif = b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01" + tag + b"\x00\x00\x00\x00"
    return data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:]


def people(*images: str, width: int = 60, height: int = 40) -> pd.DataFrame:
    return pd.DataFrame({"image": images, "width": width, "height": height})


def test_every_picture_is_seen_once_and_problems_are_told(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/whole.jpg").write_bytes(encoded(".jpg"))
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("<html>")
    table = people(
        "text.jpg", "a/whole.jpg", "a/whole.jpg", "empty.jpg", "none.jpg", "../x.jpg", "/x.jpg", "a", "n" * 300
    )
    found = scan_images(table, tmp_path).set_index("image")
    no_picture = "no picture, damaged or cut short"
    leads_out = "path leads out of the folder of pictures"
    assert found["picture_problem"].to_dict() == {
        "../x.jpg": leads_out,
        "/x.jpg": leads_out,
        "a": "Is a directory",
        "a/whole.jpg": None,
        "empty.jpg": no_picture,
        "n" * 300: "File name too long",
        "none.jpg": "No such file or directory",
        "text.jpg": no_picture,
    }
    assert found["picture_size"].to_dict() == {**dict.fromkeys(found.index), "a/whole.jpg": "60x40"}
    assert found["fingerprint"].notna().tolist() == [image == "a/whole.jpg" for image in found.index]


@pytest.mark.parametrize(
    "data",
    [
        encoded(".jpg"),
        encoded(".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        encoded(".png"),
        encoded(".webp"),
        encoded(".bmp"),
    ],
    ids=["jpeg", "progressive", "png", "webp", "bmp"],
)
def test_a_file_that_was_cut_short_is_found(data: bytes, tmp_path: Path) -> None:
    ends = [len(data) // 10, len(data) // 2, len(data) * 9 // 10, len(data) - 50, len(data) - 2, len(data) - 1]
    for end in ends:
        (tmp_path / f"{end}.jpg").write_bytes(data[:end])
    (tmp_path / "whole.jpg").write_bytes(data)
    cut = scan_images(people(*[f"{end}.jpg" for end in ends]), tmp_path)
    assert (cut["picture_problem"] == "no picture, damaged or cut short").all()
    assert scan_images(people("whole.jpg"), tmp_path)["picture_problem"].isna().all()


def test_the_size_of_the_row_settles_a_turn(tmp_path: Path) -> None:
    (tmp_path / "turned.jpg").write_bytes(turned(encoded(".jpg")))
    table = pd.concat([people("turned.jpg", width=w, height=h) for w, h in [(60, 40), (40, 60), (50, 50)]])
    found = scan_images(table, tmp_path)
    sizes = found[["width", "height", "picture_size"]].to_numpy().tolist()
    assert sizes == [[40, 60, "40x60"], [50, 50, "40x60"], [60, 40, "60x40"]]


def test_known_pictures_give_the_same_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jpg").write_bytes(encoded(".jpg"))
    (tmp_path / "damaged.jpg").write_bytes(encoded(".jpg")[:-9])
    table = people("none.jpg", "damaged.jpg", "a.jpg")
    first = scan_images(table, tmp_path)
    first.to_parquet(tmp_path / "seen.parquet")
    monkeypatch.setattr(pictures, "decode", None)
    again = scan_images(table, tmp_path, pd.read_parquet(tmp_path / "seen.parquet"))
    pd.testing.assert_frame_equal(again, first)
    again.to_parquet(tmp_path / "again.parquet")
    assert (tmp_path / "again.parquet").read_bytes() == (tmp_path / "seen.parquet").read_bytes()


def test_only_new_and_changed_pictures_are_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ["changed.jpg", "moved.jpg", "same.jpg", "resized.jpg"]:
        data = encoded(".jpg", cv2.IMWRITE_JPEG_QUALITY, 50 + len(name))
        (tmp_path / name).write_bytes(data)
    known = scan_images(people("changed.jpg", "moved.jpg", "same.jpg", "resized.jpg"), tmp_path)
    (tmp_path / "moved.jpg").rename(tmp_path / "here.jpg")
    (tmp_path / "changed.jpg").write_bytes(encoded(".png"))
    (tmp_path / "new.jpg").write_bytes(encoded(".bmp"))
    decoded = []
    decode = pictures.decode

    def count(data: bytes, size: tuple[int, int], grey: bool) -> np.ndarray | None:
        decoded.append((data[:2], size))
        return decode(data, size, grey)

    monkeypatch.setattr(pictures, "decode", count)
    table = pd.concat([people("changed.jpg", "here.jpg", "new.jpg", "same.jpg"), people("resized.jpg", width=61)])
    found = scan_images(table, tmp_path, known)
    assert sorted(decoded) == [(b"BM", (60, 40)), (b"\x89P", (60, 40)), (b"\xff\xd8", (61, 40))]
    assert found["picture_size"].tolist() == ["60x40"] * 5


def test_what_other_code_saw_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jpg").write_bytes(encoded(".jpg"))
    known = scan_images(people("a.jpg"), tmp_path)
    older = known.assign(code="another", picture_size="1x1")
    assert scan_images(people("a.jpg"), tmp_path, older)["picture_size"].tolist() == ["60x40"]
    foreign = pd.DataFrame({"image": ["a.jpg"]})
    pd.testing.assert_frame_equal(scan_images(people("a.jpg"), tmp_path, foreign), known)
    monkeypatch.setattr(looking.cv2, "__version__", "0")
    assert scan_images(people("a.jpg"), tmp_path)["code"][0] != known["code"][0]
