"""Safe extraction of a downloaded archive: all members are checked before anything is written."""

import errno
import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from splitpose.errors import InputError
from splitpose.files import atomic_folder, check_disk_space
from splitpose.progress import track

MAX_MEMBERS = 100_000
MAX_BYTES = 10 * 2**30
MAX_COMPRESSION_RATIO = 100
"""Limits against zip bombs, which no edition of FLIC reaches."""

MIN_CHECKED_SIZE = 2**20
"""Members of up to this many bytes may have any compression ratio."""

DISK_BLOCK = 4096
"""Bytes by which a file grows on disk."""

IGNORED_NAMES = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")
"""Folder and files that macOS and Windows add to archives."""


def unpack(archive: Path, edition: str, folder: Path) -> None:
    """Unpack the archive's folder `edition` to `folder/<edition>`, completely or not at all.

    Members added by macOS or Windows (__MACOSX/, ._*, .DS_Store, Thumbs.db, desktop.ini) are ignored: they are
    harmless, and common in archives that were repacked manually.

    Raises:
        InputError: The file is not a complete zip; a member is outside `edition`, a duplicate, a link or another
            special file, encrypted or suspiciously large; or the disk is too full.
    """
    try:
        with zipfile.ZipFile(archive) as content:
            members = _members(archive, content.infolist(), edition)
            folder.mkdir(parents=True, exist_ok=True)
            required = sum(info.file_size + DISK_BLOCK for info in members.values())
            check_disk_space(folder, required, f"unpacking {archive.name}")
            with atomic_folder(folder / edition) as temporary:
                for path, member in track(members.items(), f"unpacking {archive.name}", len(members), "files"):
                    target = temporary / path.relative_to(edition)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with content.open(member) as source, target.open("wb") as file:
                        shutil.copyfileobj(source, file)  # the CRC is checked at the end of the member
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # EINVAL: seek to an invalid offset
            raise
        raise InputError(f"{archive}: not a complete zip archive ({error}); download it again") from error


def _members(archive: Path, infos: list[zipfile.ZipInfo], edition: str) -> dict[PurePosixPath, zipfile.ZipInfo]:
    """Return the files to unpack by path. Raises InputError naming the first member that is not safe."""
    members: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for info in infos:
        path = PurePosixPath(info.filename)
        where = f"{archive}: member {info.filename!r}"
        if problem := _problem(info, path):
            raise InputError(f"{where} {problem}; this is not {edition}, download it again")
        if info.is_dir() or _is_ignored(path):
            continue
        if path.parts[0] != edition or len(path.parts) == 1:
            raise InputError(f"{where} is not in {edition}/; download the archive again")
        if path in members:
            raise InputError(f"{where} is a duplicate; download the archive again")
        members[path] = info
    folders = {parent for path in members for parent in path.parents}
    if both := folders & members.keys():
        raise InputError(f"{archive}: {min(both)} is both a file and a folder; download the archive again")
    size = sum(info.file_size for info in members.values())
    if len(members) > MAX_MEMBERS or size > MAX_BYTES:
        raise InputError(
            f"{archive}: unpacks to {len(members):,} files of {size:,} bytes; this is not {edition}, "
            "download it again"
        )
    return members


def _is_ignored(path: PurePosixPath) -> bool:
    return path.parts[0] in IGNORED_NAMES or path.name in IGNORED_NAMES or path.name.startswith("._")


def _problem(info: zipfile.ZipInfo, path: PurePosixPath) -> str | None:
    """Return why a member must not be unpacked, or None."""
    file_type = stat.S_IFMT(info.external_attr >> 16)  # 0 if the packer recorded none
    if path.is_absolute() or ".." in path.parts or "\\" in info.filename or not path.parts:
        return "has a path outside the archive"
    if file_type not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or another special file"
    if info.flag_bits & 1:
        return "is encrypted"
    if info.file_size > max(MIN_CHECKED_SIZE, MAX_COMPRESSION_RATIO * info.compress_size):
        return f"unpacks from {info.compress_size:,} to {info.file_size:,} bytes"
    return None
