"""Getting FLIC's archive: from several sources in turn, resumed after a break, checked by size and sha256."""

import hashlib
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import requests
from rich.progress import Progress, TaskID
from urllib3.exceptions import HTTPError, InvalidHeader, MaxRetryError
from urllib3.util import Retry

from splitpose import progress
from splitpose.errors import InputError

HOME = "bensapp.github.io/flic-dataset.html"
"""FLIC's own page, which links the archives."""

ZIP_START = b"PK\x03\x04"

WEB_PAGE = "sends a web page instead of the archive (as a rule a sign-in, or the day's downloads are used up)"

PASSING_STATUSES = (408, 425, 429, 500, 502, 503, 504)
"""HTTP statuses that may be gone a moment later."""

PIECE = 2**16
"""Bytes read at once, at most."""

SLOWEST = 1000
"""Bytes a second below which a connection counts as stalled."""

RETRY = Retry(total=4, backoff_factor=1, backoff_max=60, retry_after_max=300)
"""Tries in a row that bring nothing new, and the pauses between them: 0, 2, 4, 8 s, or what the server asks for."""


@dataclass(frozen=True)
class Archive:
    """A file that is known to the byte, and where it can be had."""

    name: str
    size: int
    sha256: str
    addresses: tuple[str, ...]

    def flaw(self, path: Path) -> str | None:
        """What shows that the file at `path` is not this archive; None if it is."""
        with path.open("rb") as file:
            if file.read(len(ZIP_START)) != ZIP_START:
                return "is no zip archive; perhaps a web page was saved instead"
            if (size := path.stat().st_size) != self.size:
                return f"has {size:,} bytes, not {self.size:,}"
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return None if sha256 == self.sha256 else f"has the sha256 {sha256[:12]}..., not {self.sha256[:12]}..."


def _addresses(name: str, drive_id: str) -> tuple[str, ...]:
    """Google Drive without and with its page on virus scans, and the older mirror."""
    return (
        f"https://drive.usercontent.google.com/download?id={drive_id}&export=download&confirm=t",
        f"https://drive.google.com/uc?export=download&id={drive_id}",
        f"http://vision.grasp.upenn.edu/video/{name}",
    )


ARCHIVES = {
    "FLIC": Archive(
        "FLIC.zip",
        300_257_553,
        "778a4847f068592af40e959381c153838e4f68bb1d798e3824a9d88e5b881955",
        _addresses("FLIC.zip", "0B4K3PZp8xXDJN0Fpb0piVjQ3Y3M"),
    ),
    "FLIC-full": Archive(
        "FLIC-full.zip",
        1_183_926_041,
        "2b1866888d424158e4aae6a5057f2b200f9747b7bfd5c8e3fdfa142699415bc3",
        _addresses("FLIC-full.zip", "0B4K3PZp8xXDJd2VwblhhOVBfMDg"),
    ),
}


def fetch(edition: str, given: str | None, folder: Path, *, timeout: float = 30, retry: Retry = RETRY) -> Path:
    """The edition's archive, its size and sha256 checked.

    The first of these that has it: `given` if it is a path, the archive that an earlier call left in `folder`,
    `given` if it is an http(s) address, the known addresses. A download grows in `<name>.part`, where a later
    call goes on; it gets its name when it is whole and right.

    Args:
        edition: a key of ARCHIVES.
        given: path or http(s) address of the archive; None to use the known addresses.
        folder: where downloads are kept.
        timeout: seconds without an answer after which a connection counts as dead.
        retry: tries and pauses of one source; they start over whenever the file has grown.

    Raises:
        InputError: `given` is a path and not the archive, the disk is too full, or no source gave the archive.
    """
    archive = ARCHIVES[edition]
    online = given is not None and given.lower().startswith(("http://", "https://"))
    if given is not None and not online:
        return _local(Path(given).expanduser(), archive)
    target = folder / archive.name
    failures = []
    if target.is_file():
        if (flaw := archive.flaw(target)) is None:
            return target
        failures.append(f"{target} {flaw}")
    part = folder / f"{archive.name}.part"
    folder.mkdir(parents=True, exist_ok=True)
    _check_room(part, archive)
    with progress.transfer() as bar:
        task = bar.add_task(archive.name, total=archive.size, completed=_size(part))
        download = _Download(archive, part, timeout, retry, bar, task)
        for address in ([given] if given is not None else []) + list(archive.addresses):
            try:
                download.take(address)
                part.replace(target)
                return target
            except _UnfitError as error:
                failures.append(f"{_host(address)} {error}")
                download.say(failures[-1])
    kept = f"; the {_size(part):,} bytes that came are kept for the next run" if _size(part) else ""
    raise InputError(
        f"{archive.name}: no source gave it: {'; '.join(failures)}{kept}; open {HOME} in a browser, download "
        f"{archive.name} there and put its path into source.archive"
    )


def _local(path: Path, archive: Archive) -> Path:
    if not path.is_file():
        raise InputError(f"{path}: no such archive; correct source.archive, or set it to null to download it")
    if flaw := archive.flaw(path):
        raise InputError(f"{path}: {flaw}, so it is not {archive.name}; get it anew from {HOME}")
    return path


def _check_room(part: Path, archive: Archive) -> None:
    needed, free = archive.size - _size(part), shutil.disk_usage(part.parent).free
    if free < needed:
        raise InputError(
            f"{part.parent}: {needed:,} bytes are needed for {archive.name} and {free:,} are free; "
            "free some and run again"
        )


class _UnfitError(Exception):
    """This source does not give the archive; says why."""


class _PassingError(Exception):
    """Trouble that may be gone a moment later; says which."""


@dataclass(frozen=True)
class _Download:
    """A download of `archive` that grows in `part`, whatever source the bytes come from."""

    archive: Archive
    part: Path
    timeout: float
    retry: Retry
    bar: Progress
    task: TaskID

    def take(self, address: str) -> None:
        """Fill `part` from this address and check it. Raises _UnfitError."""
        kept = _size(self.part)
        self._receive(address)
        if flaw := self.archive.flaw(self.part):
            self.part.unlink()
            if not kept:
                raise _UnfitError(f"gives a file that {flaw}")
            self.say(f"{self.part}: what was kept from before is of no use; {_host(address)} starts anew")
            self.take(address)

    def _receive(self, address: str) -> None:
        """Append to `part` until it has the archive's size, asking again after breaks for what is missing."""
        retry, furthest = self.retry, _size(self.part)
        while (have := _size(self.part)) < self.archive.size:
            answer = None
            headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
            try:
                with requests.get(address, headers=headers, stream=True, timeout=self.timeout) as answer:
                    self._append(answer, have)
            except (_PassingError, requests.ConnectionError, requests.Timeout, HTTPError) as error:
                if _size(self.part) > furthest:
                    retry, furthest = self.retry, _size(self.part)
                try:
                    retry = retry.increment("GET", address, error=error)
                except MaxRetryError:
                    raise _UnfitError(_reason(error)) from error
                pause = _pause(retry, answer)
                when = f"in {pause:.0f} s" if pause else "at once"
                self.say(f"{_host(address)} {_reason(error)}; trying again {when}")
                time.sleep(pause)
            except requests.RequestException as error:  # an address that is none, redirects without end
                raise _UnfitError(_reason(error)) from error

    def _append(self, answer: requests.Response, have: int) -> None:
        """Write an answer's bytes to `part`, once its head shows that they are the archive's."""
        if answer.status_code in PASSING_STATUSES:
            raise _PassingError(f"answers {answer.status_code} {answer.reason}")
        if answer.status_code not in (200, 206):
            raise _UnfitError(f"answers {answer.status_code} {answer.reason}")
        pieces = _pieces(answer, self.timeout)
        first = next(pieces, b"")
        start, total = _extent(answer)
        looks_like_a_page = start == 0 and first.lstrip().startswith(b"<")
        if looks_like_a_page or "html" in answer.headers.get("Content-Type", "").lower():
            raise _UnfitError(WEB_PAGE)
        if start == 0 and not first.startswith(ZIP_START[: len(first)]):
            raise _UnfitError("sends something that is no zip archive")
        if total not in (None, self.archive.size):
            raise _UnfitError(f"offers {total:,} bytes, not {self.archive.size:,}")
        if start not in (0, have):
            raise _UnfitError(f"sends bytes from {start:,} on where those from {have:,} on were asked for")
        if start < have:
            self.say(f"{_host(answer.url)} cannot resume; starting anew")
        self.bar.update(self.task, completed=start)
        with self.part.open("ab" if start else "wb") as file:
            for piece in chain([first], pieces):
                if file.tell() + len(piece) > self.archive.size:
                    self.part.unlink()
                    raise _UnfitError(f"sends more than {self.archive.size:,} bytes")
                file.write(piece)
                self.bar.advance(self.task, len(piece))
        if _size(self.part) < self.archive.size:
            raise _PassingError(f"ended after {_size(self.part):,} of {self.archive.size:,} bytes")

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        self.bar.console.print(text, markup=False, highlight=False, soft_wrap=True)


def _pieces(answer: requests.Response, timeout: float) -> Iterator[bytes]:
    """The bytes of an answer as they arrive. Raises _PassingError where they come too slowly."""
    since, received = time.monotonic(), 0
    while piece := answer.raw.read1(PIECE, decode_content=False):
        yield piece
        received += len(piece)
        if (passed := time.monotonic() - since) > timeout:
            if received < SLOWEST * passed:
                raise _PassingError(f"sent only {received:,} bytes in {passed:.0f} s")
            since, received = time.monotonic(), 0


def _extent(answer: requests.Response) -> tuple[int, int | None]:
    """The file's byte that an answer starts at, and the size of the whole file if it is told."""
    if answer.status_code == 206:
        told = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""), re.IGNORECASE)
        if not told:
            raise _UnfitError("sends a part of the file and does not say which")
        return int(told[1]), None if told[2] == "*" else int(told[2])
    length = answer.headers.get("Content-Length", "")
    return 0, int(length) if length.isdecimal() else None


def _pause(retry: Retry, answer: requests.Response | None) -> float:
    """Seconds to wait: what the server asks for, else longer each time."""
    try:
        asked = None if answer is None else retry.get_retry_after(answer.raw)
    except InvalidHeader:
        asked = None
    return asked or retry.get_backoff_time()


def _reason(error: BaseException) -> str:
    """What was at the bottom of an error, as one short line: "Connection refused", not all that wraps it."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    if isinstance(error, (_PassingError, _UnfitError)):
        return str(error)
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"fails ({' '.join(reason.split())})"


def _host(address: str) -> str:
    """The address as far as it may be shown: without a name and password, and without its query."""
    return re.sub(r"^\w+://(?:[^/?#]*@)?([^/?#]*).*", r"\1", address)


def _size(path: Path) -> int:
    """Bytes of a file, 0 if there is none."""
    return path.stat().st_size if path.exists() else 0
