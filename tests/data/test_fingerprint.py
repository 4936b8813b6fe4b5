import hashlib
import json
import os
from pathlib import Path

import pytest

from splitpose.data.fingerprint import FileHashes, fingerprint_folder, fingerprint_source, fingerprint_weights
from splitpose.data.formats import coco_json
from splitpose.errors import InputError
from splitpose.settings import CocoSource, FlicSource, Model, SampleSource

SAMPLE = SampleSource(kind="sample", people=20, films=5, seed=0, viewpoint="observer")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write_annotations(folder: Path, names: list[str], annotated: list[int] | None = None) -> None:
    indices = range(len(names)) if annotated is None else annotated
    content = {
        "images": [{"id": k, "file_name": name, "width": 4, "height": 4} for k, name in enumerate(names)],
        "categories": [{"id": 1, "name": "person", "keypoints": ["nose"]}],
        "annotations": [{"id": k, "image_id": k, "category_id": 1} for k in indices],
    }
    (folder / "people.json").write_text(json.dumps(content))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with people.json and three images, two of which it annotates."""
    folder = tmp_path / "photographs"
    (folder / "images").mkdir(parents=True)
    for name in "abc":
        (folder / "images" / f"{name}.png").write_bytes(name.encode())
    write_annotations(folder, ["a.png", "b.png", "c.png"], annotated=[0, 1])
    return folder


def coco(folder: Path) -> CocoSource:
    return CocoSource(
        kind="coco",
        annotations=str(folder / "people.json"),
        images=str(folder / "images"),
        min_joints=1,
        min_side=0.0,
        group="image",
        test_fraction=0.2,
    )


def run(folder: Path, state: Path | None = None) -> tuple[dict, int]:
    """Return the fingerprint, and the number of files that were read."""
    hashes = FileHashes(state or folder.parent / "state.json")
    result = fingerprint_source(coco(folder), hashes)
    hashes.save()
    return result, hashes.read


# COCO


def test_the_fingerprint_consists_of_the_hashes_of_the_contents(folder):
    (entry,) = run(folder)[0]["sets"]
    listing = f"{sha256(b'a')} a.png\n{sha256(b'b')} b.png\n"
    assert entry == {
        "annotations": sha256((folder / "people.json").read_bytes()),
        "images": 2,
        "missing_images": 0,
        "images_sha256": sha256(listing.encode()),
    }


def test_unchanged_files_are_not_read_again(folder, monkeypatch):
    first, read = run(folder)
    assert read == 3
    monkeypatch.setattr(coco_json, "load", None)  # the JSON is not parsed again either
    assert run(folder) == (first, 0)


def test_a_touched_file_is_read_again_and_changes_nothing(folder):
    first, _ = run(folder)
    (folder / "images" / "a.png").touch()
    os.utime(folder / "people.json", (1, 1))
    assert run(folder) == (first, 2)


def test_a_replaced_image_is_noticed_even_with_the_old_size_and_time(folder):
    first, _ = run(folder)
    image = folder / "images" / "a.png"
    status = image.stat()
    replacement = folder / "new.png"
    replacement.write_bytes(b"x")
    os.utime(replacement, ns=(status.st_atime_ns, status.st_mtime_ns))
    replacement.replace(image)
    assert image.stat().st_mtime_ns == status.st_mtime_ns
    second, read = run(folder)
    assert second != first
    assert read == 1


@pytest.mark.parametrize("change", ["edited JSON", "new annotated image", "deleted image", "renamed image"])
def test_every_change_of_what_is_read_changes_the_fingerprint(folder, change):
    first, _ = run(folder)
    if change == "edited JSON":
        (folder / "people.json").write_text((folder / "people.json").read_text() + " ")
    elif change == "new annotated image":
        write_annotations(folder, ["a.png", "b.png", "c.png"])
    elif change == "deleted image":
        (folder / "images" / "b.png").unlink()
    else:
        (folder / "images" / "b.png").rename(folder / "images" / "d.png")
        write_annotations(folder, ["a.png", "d.png", "c.png"], annotated=[0, 1])
    assert run(folder)[0] != first


def test_files_that_no_annotation_refers_to_are_ignored(folder):
    first, _ = run(folder)
    (folder / "images" / "c.png").write_bytes(b"changed")
    (folder / "images" / "new.png").touch()
    (folder / "notes.txt").touch()
    assert run(folder) == (first, 0)


def test_a_missing_image_that_appears_is_noticed(folder):
    write_annotations(folder, ["a.png", "late.png"])
    first, _ = run(folder)
    assert first["sets"][0]["missing_images"] == 1
    (folder / "images" / "late.png").touch()
    assert run(folder)[0]["sets"][0]["missing_images"] == 0


def test_files_outside_the_folder_are_not_read(folder):
    write_annotations(folder, ["a.png", "../people.json", str(folder / "people.json")])
    fingerprint, read = run(folder)
    assert (fingerprint["sets"][0]["images"], fingerprint["sets"][0]["missing_images"], read) == (3, 2, 2)


def test_images_are_found_as_they_are_copied(folder):
    write_annotations(folder, ["A.PNG", "default\\b.png", "/data/upload/1/0a1b2c3d-c.png"])
    first, read = run(folder)
    assert (first["sets"][0]["missing_images"], read) == (0, 4)
    (folder / "images" / "c.png").write_bytes(b"changed")
    assert run(folder)[0] != first


def test_a_moved_folder_has_the_same_fingerprint(folder):
    first, _ = run(folder)
    moved = folder.rename(folder.with_name("moved"))
    assert run(moved, folder.parent / "other.json")[0] == first


@pytest.mark.parametrize("content", ["", "{", "[]", '{"files": 3}'])
def test_a_damaged_state_is_ignored(folder, content):
    state = folder.parent / "state.json"
    state.write_text(content)
    assert run(folder, state)[1] == 3


def test_only_files_that_are_used_are_remembered(folder):
    run(folder)
    write_annotations(folder, ["a.png"])
    run(folder)
    remembered = json.loads((folder.parent / "state.json").read_text())["files"]
    assert sorted(Path(path).name for path in remembered) == ["a.png", "people.json"]


def test_what_is_missing_is_named(folder):
    (folder / "images").rename(folder / "elsewhere")
    with pytest.raises(InputError, match=r"^source.images: .*/images: no such folder of images$"):
        run(folder)
    (folder / "people.json").unlink()
    with pytest.raises(InputError, match=r"^source.annotations: .*/people.json: no such file"):
        run(folder)


def test_an_invalid_json_is_named(folder):
    (folder / "people.json").write_text("{")
    with pytest.raises(InputError, match=r"people.json: "):
        run(folder)


# Other sources


def test_the_sample_and_known_addresses_have_no_files_outside_the_project(tmp_path):
    hashes = FileHashes(tmp_path / "state.json")
    for archive in (None, "http://localhost/FLIC.zip", "HTTPS://localhost/FLIC.zip"):
        source = FlicSource(kind="flic", edition="FLIC", archive=archive, viewpoint="observer")
        assert fingerprint_source(source, hashes) == {}
    assert fingerprint_source(SAMPLE, hashes) == {}
    assert hashes.count == 0


def test_a_local_archive_is_hashed(tmp_path):
    (tmp_path / "FLIC.zip").write_bytes(b"zip")
    source = FlicSource(kind="flic", edition="FLIC", archive=str(tmp_path / "FLIC.zip"), viewpoint="observer")
    assert fingerprint_source(source, FileHashes(tmp_path / "state.json")) == {"archive": sha256(b"zip")}
    (tmp_path / "FLIC.zip").unlink()
    with pytest.raises(InputError, match=r"FLIC.zip: no such archive; correct source.archive, or set it to null"):
        fingerprint_source(source, FileHashes(tmp_path / "state.json"))


# Weights


def model(backbone: str, initial: str | None) -> Model:
    return Model(
        width_multiplier=0.5,
        backbone_weights=backbone,
        initial_weights=initial,
        batchnorm_momentum=0.9,
        split="sliced",
        decoding="dark",
    )


@pytest.mark.parametrize(("backbone", "initial"), [("random", None), ("imagenet", "champion")])
def test_values_that_are_not_paths_have_no_hash(tmp_path, backbone, initial):
    hashes = FileHashes(tmp_path / "state.json")
    assert fingerprint_weights(model(backbone, initial), hashes) == {
        "backbone_weights": None,
        "initial_weights": None,
    }


def test_weights_files_are_hashed(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.weights.h5").write_bytes(b"a")
    (tmp_path / "b.h5").write_bytes(b"b")
    settings = model("~/b.h5", str(tmp_path / "a.weights.h5"))
    assert fingerprint_weights(settings, FileHashes(tmp_path / "state.json")) == {
        "backbone_weights": sha256(b"b"),
        "initial_weights": sha256(b"a"),
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            model("none.h5", None),
            "model.backbone_weights: none.h5: no such file; use random, imagenet or the path of a weights file",
        ),
        (
            model("random", "none.h5"),
            "model.initial_weights: none.h5: no such file; use null, champion or the path of a weights file",
        ),
    ],
)
def test_missing_weights_are_named(tmp_path, settings, message):
    with pytest.raises(InputError) as raised:
        fingerprint_weights(settings, FileHashes(tmp_path / "state.json"))
    assert str(raised.value) == message


def test_the_fingerprint_of_a_folder_covers_its_files_by_name_and_contents(folder: Path, tmp_path: Path) -> None:
    def fingerprint() -> dict:
        return fingerprint_folder(str(folder / "images"), "key", FileHashes(tmp_path / "hashes.json"))

    listing = "".join(f"{sha256(name.encode())} {name}.png\n" for name in "abc")
    assert fingerprint() == {"files": 3, "files_sha256": sha256(listing.encode())}
    (folder / "images" / ".DS_Store").write_bytes(b"hidden")
    assert fingerprint()["files"] == 3
    before = fingerprint()
    (folder / "images" / "a.png").write_bytes(b"changed")
    assert fingerprint() != before


def test_a_missing_folder_is_an_error_and_no_folder_has_no_fingerprint(tmp_path: Path) -> None:
    hashes = FileHashes(tmp_path / "hashes.json")
    assert fingerprint_folder(None, "key", hashes) == {}
    with pytest.raises(InputError, match=r"^person_detection.background_images: /none: no such folder of images; "):
        fingerprint_folder("/none", "person_detection.background_images", hashes)
