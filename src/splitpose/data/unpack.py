"""Unpacking an archive that somebody else made: all of it is looked at before anything is written."""

import errno
import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from splitpose.errors import InputError
from splitpose.files import atomic_folder
from splitpose.progress import track

MAX_MEMBERS = 100_000
MAX_BYTES = 10 * 2**30
MAX_COMPRESSION_RATIO = 100
"""No edition of FLIC has more members, unpacks to more bytes or grows more in a member; a hostile archive might."""

SMALL = 2**20
"""A member of up to so many bytes may grow as it likes."""

BLOCK = 4096
"""Bytes by which a file's place on the disk grows."""

PACKERS_OWN = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")
"""Folder and files that packers of macOS and Windows add."""


def unpack(archive: Path, edition: str, folder: Path) -> None:
    """Unpack the archive's folder `edition` to `folder/<edition>`, which is there when it is whole.

    Members that only macOS or Windows put there (__MACOSX/, ._*, .DS_Store, Thumbs.db, desktop.ini) are left
    out in silence: they are harmless and come with an archive that was packed by hand.

    Raises:
        InputError: no whole zip; a member that leads out of `edition`, comes twice, is a link or another special
            file, is encrypted or absurdly large; or the disk is too full.
    """
    try:
        with zipfile.ZipFile(archive) as content:
            members = _members(archive, content.infolist(), edition)
            folder.mkdir(parents=True, exist_ok=True)
            _check_room(folder, archive, members)
            with atomic_folder(folder / edition) as beside:
                for place, member in track(members.items(), f"unpack {archive.name}", len(members), "files"):
                    target = beside / place.relative_to(edition)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with content.open(member) as source, target.open("wb") as file:
                        shutil.copyfileobj(source, file)  # the CRC is checked at the end of the member
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # a place in the file that cannot be
            raise
        raise InputError(f"{archive}: not a whole zip ({error}); get it anew") from error


def _members(archive: Path, infos: list[zipfile.ZipInfo], edition: str) -> dict[PurePosixPath, zipfile.ZipInfo]:
    """The files to unpack, by path. Raises InputError naming the first that must not be unpacked."""
    members: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for info in infos:
        place = PurePosixPath(info.filename)
        if flaw := _flaw(info, place):
            raise InputError(f"{archive}: member {info.filename!r} {flaw}; this is not {edition}, get it anew")
        if info.is_dir() or place.parts[0] in PACKERS_OWN or place.name in PACKERS_OWN or place.name[:2] == "._":
            continue
        if place.parts[0] != edition or len(place.parts) == 1:
            raise InputError(f"{archive}: member {info.filename!r} is not in {edition}/; get the archive anew")
        if place in members:
            raise InputError(f"{archive}: member {info.filename!r} comes twice; get the archive anew")
        members[place] = info
    folders = {parent for place in members for parent in place.parents}
    if both := folders & members.keys():
        raise InputError(f"{archive}: {min(both)} is a file and a folder; get the archive anew")
    size = sum(info.file_size for info in members.values())
    if len(members) > MAX_MEMBERS or size > MAX_BYTES:
        raise InputError(f"{archive}: unpacks to {len(members):,} files of {size:,} bytes; this is not {edition}")
    return members


def _flaw(info: zipfile.ZipInfo, place: PurePosixPath) -> str | None:
    """Why a member must not be unpacked; None if it may."""
    kind = stat.S_IFMT(info.external_attr >> 16)  # 0 where the packer noted none
    if place.is_absolute() or ".." in place.parts or "\\" in info.filename or not place.parts:
        return "leads elsewhere"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or another special file"
    if info.flag_bits & 1:
        return "is encrypted"
    if info.file_size > max(SMALL, MAX_COMPRESSION_RATIO * info.compress_size):
        return f"grows from {info.compress_size:,} to {info.file_size:,} bytes"
    return None


def _check_room(folder: Path, archive: Path, members: dict[PurePosixPath, zipfile.ZipInfo]) -> None:
    needed = sum(info.file_size + BLOCK for info in members.values())
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise InputError(
            f"{folder}: {needed:,} bytes are needed to unpack {archive.name} and {free:,} are free; "
            "free some and run again"
        )
