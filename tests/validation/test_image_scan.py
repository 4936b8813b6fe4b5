from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from splitpose import images
from splitpose.validation import image_scan
from splitpose.validation.image_scan import scan_images

NOISE = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)

NOT_AN_IMAGE = "not an image, damaged or truncated"


def encode(suffix: str, *options: int) -> bytes:
    return cv2.imencode(suffix, NOISE, list(options))[1].tobytes()


def rotate_by_exif(data: bytes) -> bytes:
    """Add an EXIF orientation of 90 degrees to a JPEG."""
    tag = b"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00"
    exif = b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01" + tag + b"\x00\x00\x00\x00"
    return data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:]


def make_table(*paths: str, width: int = 60, height: int = 40) -> pd.DataFrame:
    return pd.DataFrame({"image": paths, "width": width, "height": height})


def test_every_image_is_scanned_once_and_errors_are_reported(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/intact.jpg").write_bytes(encode(".jpg"))
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("<html>")
    table = make_table(
        "text.jpg", "a/intact.jpg", "a/intact.jpg", "empty.jpg", "none.jpg", "../x.jpg", "/x.jpg", "a", "n" * 300
    )
    scan = scan_images(table, tmp_path).set_index("image")
    outside = "path outside the folder of images"
    assert scan["image_error"].to_dict() == {
        "../x.jpg": outside,
        "/x.jpg": outside,
        "a": "Is a directory",
        "a/intact.jpg": None,
        "empty.jpg": NOT_AN_IMAGE,
        "n" * 300: "File name too long",
        "none.jpg": "No such file or directory",
        "text.jpg": NOT_AN_IMAGE,
    }
    assert scan["image_size"].to_dict() == {**dict.fromkeys(scan.index), "a/intact.jpg": "60x40"}
    assert scan["perceptual_hash"].notna().tolist() == [path == "a/intact.jpg" for path in scan.index]


@pytest.mark.parametrize(
    "data",
    [
        encode(".jpg"),
        encode(".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        encode(".png"),
        encode(".webp"),
        encode(".bmp"),
    ],
    ids=["jpeg", "progressive", "png", "webp", "bmp"],
)
def test_a_truncated_file_is_an_error_or_a_warning(data: bytes, tmp_path: Path) -> None:
    ends = [len(data) // 20, len(data) // 2, len(data) * 9 // 10, len(data) - 50, len(data) - 2, len(data) - 1]
    for end in ends:
        (tmp_path / f"{end}.jpg").write_bytes(data[:end])
    (tmp_path / "intact.jpg").write_bytes(data)
    scan = scan_images(make_table(*[f"{end}.jpg" for end in ends]), tmp_path).set_index("image")
    # Of the larger parts, it depends on the format whether they have nine tenths of the rows.
    assert scan.loc[f"{ends[0]}.jpg", "image_error"] == NOT_AN_IMAGE
    assert (scan["image_error"].isna() == scan["image_warning"].notna()).all()
    intact = scan_images(make_table("intact.jpg"), tmp_path)
    assert intact[["image_error", "image_warning"]].isna().all(axis=None)


def test_an_image_without_its_last_bytes_is_scanned_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(encode(".jpg")[:-2])  # without the end marker
    (scan,) = scan_images(make_table("a.jpg"), tmp_path).to_dict("records")
    assert (scan["image_error"], scan["image_size"]) == (None, "60x40")
    assert scan["image_warning"] == "is truncated; 40 of 40 rows could be decoded"


def test_the_annotated_size_decides_whether_the_exif_orientation_is_applied(tmp_path: Path) -> None:
    (tmp_path / "rotated.jpg").write_bytes(rotate_by_exif(encode(".jpg")))
    table = pd.concat([make_table("rotated.jpg", width=w, height=h) for w, h in [(60, 40), (40, 60), (50, 50)]])
    scan = scan_images(table, tmp_path)
    sizes = scan[["width", "height", "image_size"]].to_numpy().tolist()
    assert sizes == [[40, 60, "40x60"], [50, 50, "40x60"], [60, 40, "60x40"]]


def test_the_cache_returns_the_same_frame_without_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jpg").write_bytes(encode(".jpg"))
    (tmp_path / "damaged.jpg").write_bytes(encode(".jpg")[:-9])
    table = make_table("none.jpg", "damaged.jpg", "a.jpg")
    first = scan_images(table, tmp_path)
    first.to_parquet(tmp_path / "first.parquet")
    monkeypatch.setattr(images, "decode", None)
    again = scan_images(table, tmp_path, pd.read_parquet(tmp_path / "first.parquet"))
    pd.testing.assert_frame_equal(again, first)
    again.to_parquet(tmp_path / "again.parquet")
    assert (tmp_path / "again.parquet").read_bytes() == (tmp_path / "first.parquet").read_bytes()


def test_only_new_and_changed_images_are_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ["changed.jpg", "moved.jpg", "same.jpg", "resized.jpg"]:
        data = encode(".jpg", cv2.IMWRITE_JPEG_QUALITY, 50 + len(name))
        (tmp_path / name).write_bytes(data)
    cache = scan_images(make_table("changed.jpg", "moved.jpg", "same.jpg", "resized.jpg"), tmp_path)
    (tmp_path / "moved.jpg").rename(tmp_path / "here.jpg")
    (tmp_path / "changed.jpg").write_bytes(encode(".png"))
    (tmp_path / "new.jpg").write_bytes(encode(".bmp"))
    decoded = []
    decode = images.decode

    def count(data: bytes, size: tuple[int, int], grey: bool) -> np.ndarray | None:
        decoded.append((data[:2], size))
        return decode(data, size, grey)

    monkeypatch.setattr(images, "decode", count)
    table = pd.concat(
        [make_table("changed.jpg", "here.jpg", "new.jpg", "same.jpg"), make_table("resized.jpg", width=61)]
    )
    scan = scan_images(table, tmp_path, cache)
    assert sorted(decoded) == [(b"BM", (60, 40)), (b"\x89P", (60, 40)), (b"\xff\xd8", (61, 40))]
    assert scan["image_size"].tolist() == ["60x40"] * 5


def test_results_of_other_code_are_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jpg").write_bytes(encode(".jpg"))
    cache = scan_images(make_table("a.jpg"), tmp_path)
    older = cache.assign(code_digest="another", image_size="1x1")
    assert scan_images(make_table("a.jpg"), tmp_path, older)["image_size"].tolist() == ["60x40"]
    foreign = pd.DataFrame({"image": ["a.jpg"]})
    pd.testing.assert_frame_equal(scan_images(make_table("a.jpg"), tmp_path, foreign), cache)
    monkeypatch.setattr(image_scan.cv2, "__version__", "0")
    assert scan_images(make_table("a.jpg"), tmp_path)["code_digest"][0] != cache["code_digest"][0]


@pytest.mark.parametrize("column", ["code_digest", "image_warning"])
def test_the_cache_of_an_earlier_version_is_not_used(column: str, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(encode(".jpg"))
    scan = scan_images(make_table("a.jpg"), tmp_path)
    pd.testing.assert_frame_equal(scan_images(make_table("a.jpg"), tmp_path, scan.drop(columns=column)), scan)
