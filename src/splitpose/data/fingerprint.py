"""Fingerprints of the files outside the project: the source's annotations, images and archive, weights files, and
images without people.

A fingerprint is a function of the files' contents. As in git, a file is read again only if its size or one of its
times differs from those of the last run.
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from splitpose.data.image_finder import ImageFinder, image_folders
from splitpose.data.joint_names import JointNames
from splitpose.errors import InputError, one_line
from splitpose.files import atomic_file
from splitpose.progress import track
from splitpose.settings import CocoSource, FlicSource, Model, Source

WORKERS = os.cpu_count() or 1
"""Threads that read files; hashlib releases the GIL."""

NOT_FILES = {"backbone_weights": ("random", "imagenet"), "initial_weights": (None, "champion")}
"""Values of the parameters of `model` that are not paths."""

Signature = list[int]
"""Size in bytes, and the times of the last change of contents and of metadata in ns. The latter changes even if a
file is replaced by one that was given its size and time of modification."""


class FileHashes:
    """SHA-256 of files, and the images that COCO JSONs annotate; both are kept for the next run.

    Args:
        path: file of the last run's values, which may be missing; one that cannot be read is ignored.
    """

    def __init__(self, path: Path):
        self.path = path
        self._known = _load(path)
        self._used: dict[str, dict[str, Any]] = {"files": {}, "annotated": {}}
        self.read = 0
        """Number of files that have been read."""

    @property
    def count(self) -> int:
        """Number of files that have been hashed or found unchanged."""
        return len(self._used["files"])

    def hash_all(self, paths: Sequence[str], title: str) -> list[str | None]:
        """Return the SHA-256 of each file, None where there is no file.

        Args:
            paths: absolute paths.
            title: title of the progress bar for files that have to be read.

        Raises:
            InputError: A file cannot be read.
        """
        known, used = self._known["files"], self._used["files"]
        signatures = {path: signature for path in paths if (signature := _signature(path))}
        for path, signature in signatures.items():
            if path in known and known[path][0] == signature:
                used[path] = known[path]
        changed = [path for path in signatures if path not in used]
        if changed:
            with ThreadPoolExecutor(WORKERS) as pool:
                hashes: Iterable[str] = pool.map(_sha256, changed)
                if len(changed) > 1:
                    hashes = track(hashes, title, len(changed), "files")
                used.update((path, [signatures[path], sha]) for path, sha in zip(changed, hashes, strict=True))
        self.read += len(changed)
        return [used[path][1] if path in signatures else None for path in paths]

    def hash_file(self, path: Path, missing: str) -> str:
        """Return the SHA-256 of a file. Raises InputError with the message `missing` if there is none."""
        (sha256,) = self.hash_all([str(path.expanduser().resolve())], path.name)
        if sha256 is None:
            raise InputError(missing)
        return sha256

    def annotated_images(
        self, annotations: Path, sha256: str, joint_map: Mapping[str, str] | None = None
    ) -> list[str]:
        """Return the file names of the images that a file or folder annotates, in its order.

        Args:
            annotations: path of the file or folder, which is parsed only if its contents have changed.
            sha256: hash of its contents.
            joint_map: names of keypoints by joint, beyond those that are known.

        Raises:
            InputError: The annotations are invalid.
        """
        if joint_map:
            sha256 += f" {sorted(joint_map.items())}"
        key = str(annotations.resolve())
        entry = self._known["annotated"].get(key, {})
        if entry.get("sha256") != sha256:
            from splitpose.data.formats import detection  # imports NumPy, which most runs do not need

            own = detection.read_annotations(annotations, JointNames(joint_map or {}))
            names = own.annotated_file_names()
            entry = {"sha256": sha256, "names": names}
        self._used["annotated"][key] = entry
        return list(entry["names"])

    def save(self) -> None:
        """Write the values of the files that have been used, for the next run."""
        with atomic_file(self.path) as temporary:
            temporary.write_text(json.dumps(self._used))


def fingerprint_source(source: Source, hashes: FileHashes) -> dict[str, Any]:
    """Return the fingerprint of everything outside the project that the source is read from.

    For COCO, it covers each JSON and the images that it annotates. Other files in the folders of images are not
    used and therefore ignored. It contains no path, so that moved files have the same fingerprint.

    Raises:
        InputError: A file or folder is missing or cannot be read.
    """
    match source:
        case CocoSource(sets=sets, joint_map=names):
            return {"sets": [_fingerprint_set(path, images, names, hashes) for _, path, images in sets]}
        case FlicSource(archive=str(archive)) if not archive.lower().startswith(("http://", "https://")):
            missing = f"{archive}: no such archive; correct source.archive, or set it to null to download it"
            return {"archive": hashes.hash_file(Path(archive), missing)}
    return {}


def _fingerprint_set(
    annotations: Path, images: Path, joint_map: Mapping[str, str], hashes: FileHashes
) -> dict[str, Any]:
    sha256 = _hash_annotations(annotations, hashes)
    names = hashes.annotated_images(annotations, sha256, joint_map)
    if not images.is_dir():
        raise InputError(f"source.images: {images}: no such folder of images")
    found = ImageFinder(image_folders(annotations, images.resolve())).find_all(names).paths
    paths = [str(found.get(name, "")) for name in names]
    image_hashes = hashes.hash_all(paths, f"reading images of {annotations.name}")
    listing = (f"{sha} {name}\n" for name, sha in zip(names, image_hashes, strict=True))
    return {
        "annotations": sha256,
        "images": len(names),
        "missing_images": image_hashes.count(None),
        "images_sha256": _digest(listing),
    }


def _hash_annotations(annotations: Path, hashes: FileHashes) -> str:
    """Return the SHA-256 of a file, or of all annotation files of a folder or of a YAML with label files."""
    if not annotations.is_dir() and annotations.suffix.lower() not in (".yaml", ".yml"):
        return hashes.hash_file(annotations, f"source.annotations: {annotations}: no such file")
    from splitpose.data.formats import detection

    found = detection.find_annotations(annotations).found
    files = [file.resolve() for one in found for file in one.files]
    shas = hashes.hash_all([str(file) for file in files], f"reading annotations of {annotations.name}")
    root = annotations.resolve() if annotations.is_dir() else annotations.resolve().parent
    return _digest(f"{sha} {os.path.relpath(file, root)}\n" for sha, file in zip(shas, files, strict=True))


def fingerprint_weights(model: Model, hashes: FileHashes) -> dict[str, str | None]:
    """Return the SHA-256 of the weights files that the profile names by path, None for a parameter without one.

    Raises:
        InputError: A file is missing or cannot be read.
    """
    values = {"backbone_weights": model.backbone_weights, "initial_weights": model.initial_weights}
    return {
        key: None
        if value is None or value in NOT_FILES[key]
        else hashes.hash_file(Path(value), _no_weights(key, value))
        for key, value in values.items()
    }


def fingerprint_folder(folder: str | None, key: str, hashes: FileHashes) -> dict[str, Any]:
    """Return the fingerprint of all files in a folder and its subfolders, except hidden ones; {} without a folder.

    Args:
        folder: the folder.
        key: the parameter that names it, for the message.
        hashes: hashes of files.

    Raises:
        InputError: There is no such folder, or a file cannot be read.
    """
    if folder is None:
        return {}
    root = Path(folder).expanduser().resolve()
    if not root.is_dir():
        raise InputError(f"{key}: {folder}: no such folder of images; correct the path, or set it to null")
    names = sorted(
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(root).parts)
    )
    file_hashes = hashes.hash_all([f"{root}/{name}" for name in names], f"reading {root.name}")
    listing = (f"{sha} {name}\n" for name, sha in zip(names, file_hashes, strict=True))
    return {"files": len(names), "files_sha256": _digest(listing)}


def _no_weights(key: str, value: str) -> str:
    others = ", ".join(str(other or "null") for other in NOT_FILES[key])
    return f"model.{key}: {value}: no such file; use {others} or the path of a weights file"


def _digest(lines: Iterable[str]) -> str:
    sha256 = hashlib.sha256()
    for line in lines:
        sha256.update(line.encode())
    return sha256.hexdigest()


def _signature(path: str) -> Signature | None:
    """Return the signature of a file, None if there is none or the system does not allow its name."""
    try:
        status = os.stat(path)  # noqa: PTH116 (a Path takes longer to create than the call)
    except (OSError, ValueError):
        return None
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns] if stat.S_ISREG(status.st_mode) else None


def _sha256(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: {one_line(error)}; check the permissions of the file") from error


def _load(path: Path) -> dict[str, dict[str, Any]]:
    """Return the values of the last run, nothing if there are none or the file is damaged."""
    try:
        content = json.loads(path.read_text())
        return {"files": dict(content["files"]), "annotated": dict(content["annotated"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {"files": {}, "annotated": {}}
