"""Getting FLIC's archive and unpacking it."""

import zipfile
from pathlib import Path, PurePosixPath

import pooch

from splitpose.errors import InputError

URLS = {
    "FLIC": "https://drive.google.com/uc?export=download&id=0B4K3PZp8xXDJN0Fpb0piVjQ3Y3M",
    "FLIC-full": "https://drive.google.com/uc?export=download&id=0B4K3PZp8xXDJd2VwblhhOVBfMDg",
}
"""The archives that FLIC's own page links."""

SHA256 = {
    "FLIC": "778a4847f068592af40e959381c153838e4f68bb1d798e3824a9d88e5b881955",
    "FLIC-full": "2b1866888d424158e4aae6a5057f2b200f9747b7bfd5c8e3fdfa142699415bc3",
}

MOST_BYTES = 20 * 2**30
"""No edition unpacks to more; a damaged or hostile archive might."""


def fetch(edition: str, folder: Path) -> Path:
    """Download the edition's zip into `folder`, or find it there, and check its sha256.

    Raises InputError if it cannot be had, saying how to give a local archive.
    """
    try:
        return Path(
            pooch.retrieve(
                URLS[edition],
                f"sha256:{SHA256[edition]}",
                fname=f"{edition}.zip",
                path=folder,
                progressbar=True,
            )
        )
    except (OSError, ValueError) as error:
        raise InputError(
            f"{edition}.zip: cannot be downloaded ({' '.join(str(error).split())}); get it from "
            "bensapp.github.io/flic-dataset.html and put its path into source.archive"
        ) from error


def unpack(archive: Path, edition: str, sha256: str, folder: Path) -> None:
    """Unpack examples.mat and the pictures of the archive into `folder/<edition>`.

    Raises:
        InputError: the archive is missing, not the known one, no zip, or has a member that leads elsewhere.
    """
    if not archive.is_file():
        raise InputError(f"{archive}: no such archive; correct source.archive, or set it to null to download it")
    if (found := pooch.file_hash(str(archive))) != sha256:
        raise InputError(f"{archive}: its sha256 is {found[:12]}..., not {edition}'s {sha256[:12]}...; get it anew")
    try:
        with zipfile.ZipFile(archive) as content:
            members = [member for member in content.infolist() if not member.is_dir()]
            if sum(member.file_size for member in members) > MOST_BYTES:
                raise InputError(f"{archive}: unpacks to more than {MOST_BYTES} bytes; this is not {edition}")
            for member in members:
                place = PurePosixPath(member.filename)
                if place.is_absolute() or ".." in place.parts or place.parts[0] != edition:
                    raise InputError(f"{archive}: member {member.filename!r} leads out of {edition}/")
                content.extract(member, folder)
    except (zipfile.BadZipFile, EOFError) as error:
        raise InputError(f"{archive}: not a whole zip ({error}); get it anew") from error
