"""Download of FLIC's archive from several mirrors, resumed after interruptions and verified by size and SHA-256."""

import hashlib
import re
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
from splitpose.errors import InputError, one_line, root_cause
from splitpose.files import check_disk_space

HOMEPAGE = "bensapp.github.io/flic-dataset.html"
"""FLIC's own page, with links to the archives."""

ZIP_MAGIC = b"PK\x03\x04"

HTML_INSTEAD = "returns a web page instead of the archive (usually a sign-in page or an exceeded download quota)"

TRANSIENT_STATUSES = (408, 425, 429, 500, 502, 503, 504)
"""HTTP statuses after which another try may succeed."""

CHUNK_SIZE = 2**16
"""Largest number of bytes read at once."""

MIN_BYTES_PER_SECOND = 1000
"""Transfer rate below which a connection counts as stalled."""

RETRY = Retry(total=4, backoff_factor=1, backoff_max=60, retry_after_max=300)
"""Consecutive tries without progress, and the pauses between them: 0, 2, 4, 8 s, or the server's Retry-After."""


@dataclass(frozen=True)
class Archive:
    """A file of known size and hash, and where to download it."""

    name: str
    size: int
    """Bytes."""
    sha256: str
    urls: tuple[str, ...]

    def mismatch(self, path: Path) -> str | None:
        """Return how the file at `path` differs from this archive, or None if it is the archive."""
        with path.open("rb") as file:
            if file.read(len(ZIP_MAGIC)) != ZIP_MAGIC:
                return "is not a zip archive (perhaps a web page was saved instead)"
            if (size := path.stat().st_size) != self.size:
                return f"has {size:,} bytes, not {self.size:,}"
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return None if sha256 == self.sha256 else f"has SHA-256 {sha256[:12]}..., not {self.sha256[:12]}..."


def _urls(name: str, drive_id: str) -> tuple[str, ...]:
    """Return Google Drive without and with its virus-scan page, and the older mirror."""
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
        _urls("FLIC.zip", "0B4K3PZp8xXDJN0Fpb0piVjQ3Y3M"),
    ),
    "FLIC-full": Archive(
        "FLIC-full.zip",
        1_183_926_041,
        "2b1866888d424158e4aae6a5057f2b200f9747b7bfd5c8e3fdfa142699415bc3",
        _urls("FLIC-full.zip", "0B4K3PZp8xXDJd2VwblhhOVBfMDg"),
    ),
}


def download_archive(
    edition: str, location: str | None, folder: Path, *, timeout: float = 30, retry: Retry = RETRY
) -> Path:
    """Return the path of an edition's archive, downloaded if necessary and verified by size and SHA-256.

    Sources are tried in this order: `location` if it is a path, an archive in `folder` from an earlier call,
    `location` if it is a URL, the known URLs. A download is written to `<name>.part`, which a later call resumes,
    and renamed once it is complete and verified.

    Args:
        edition: a key of ARCHIVES.
        location: path or http(s) URL of the archive; None for the known URLs.
        folder: folder for downloads.
        timeout: seconds without a response after which a connection counts as dead.
        retry: tries and pauses for one source; counting starts over whenever the file has grown.

    Raises:
        InputError: `location` is a path to another file, the disk is too full, or no source has the archive.
    """
    archive = ARCHIVES[edition]
    is_url = location is not None and location.lower().startswith(("http://", "https://"))
    if location is not None and not is_url:
        return _verify_local(Path(location).expanduser(), archive)
    target = folder / archive.name
    failures = []
    if target.is_file():
        if (mismatch := archive.mismatch(target)) is None:
            return target
        failures.append(f"{target} {mismatch}")
    part = folder / f"{archive.name}.part"
    folder.mkdir(parents=True, exist_ok=True)
    check_disk_space(folder, archive.size - _size(part), archive.name)
    with progress.transfer() as bar:
        task = bar.add_task(archive.name, total=archive.size, completed=_size(part))
        transfer = _Transfer(archive, part, timeout, retry, bar, task)
        for url in ([location] if location is not None else []) + list(archive.urls):
            try:
                transfer.download(url)
                part.replace(target)
                return target
            except _SourceError as error:
                failures.append(f"{_host(url)} {error}")
                transfer.log(failures[-1])
    kept = f"; the {_size(part):,} bytes received so far are kept for the next run" if _size(part) else ""
    raise InputError(
        f"{archive.name}: not available from any source: {'; '.join(failures)}{kept}; open {HOMEPAGE} in a "
        f"browser, download {archive.name} there and set source.archive to its path"
    )


def _verify_local(path: Path, archive: Archive) -> Path:
    if not path.is_file():
        raise InputError(f"{path}: no such archive; correct source.archive, or set it to null to download it")
    if mismatch := archive.mismatch(path):
        raise InputError(f"{path}: {mismatch}, so it is not {archive.name}; download it again from {HOMEPAGE}")
    return path


class _SourceError(Exception):
    """A source cannot provide the archive; the message continues a sentence that begins with its host."""


class _TransientError(Exception):
    """A failure after which another try may succeed; the message continues a sentence that begins with the host."""


@dataclass(frozen=True)
class _Transfer:
    """A download of `archive` to `part`, which may be continued from one source to the next."""

    archive: Archive
    part: Path
    timeout: float
    retry: Retry
    bar: Progress
    task: TaskID

    def download(self, url: str) -> None:
        """Complete `part` from this URL and verify it. Raises _SourceError."""
        resumed = _size(self.part) > 0
        self._receive(url)
        if mismatch := self.archive.mismatch(self.part):
            self.part.unlink()
            if not resumed:
                raise _SourceError(f"provides a file that {mismatch}")
            self.log(f"{self.part}: the bytes of an earlier run are invalid; starting over from {_host(url)}")
            self.download(url)

    def log(self, text: str) -> None:
        """Print a line above the progress bar."""
        self.bar.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _receive(self, url: str) -> None:
        """Append to `part` until it has the archive's size, requesting the rest after each interruption."""
        retry, furthest = self.retry, _size(self.part)
        while (received := _size(self.part)) < self.archive.size:
            response = None
            headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={received}-"} if received else {})
            try:
                with requests.get(url, headers=headers, stream=True, timeout=self.timeout) as response:
                    self._append(response, received)
            except (_TransientError, requests.ConnectionError, requests.Timeout, HTTPError) as error:
                if _size(self.part) > furthest:
                    retry, furthest = self.retry, _size(self.part)
                try:
                    retry = retry.increment("GET", url, error=error)
                except MaxRetryError:
                    raise _SourceError(_reason(error)) from error
                pause = _pause(retry, response)
                when = f"in {pause:.0f} s" if pause else "now"
                self.log(f"{_host(url)} {_reason(error)}; trying again {when}")
                time.sleep(pause)
            except requests.RequestException as error:  # an invalid URL, or endless redirects
                raise _SourceError(_reason(error)) from error

    def _append(self, response: requests.Response, received: int) -> None:
        """Write a response's body to `part` after checking that it belongs to the archive."""
        _check_status(response)
        chunks = _chunks(response, self.timeout)
        first = next(chunks, b"")
        start, total = _content_range(response)
        _check_content(response, first, start)
        if total not in (None, self.archive.size):
            raise _SourceError(f"offers {total:,} bytes, not {self.archive.size:,}")
        if start not in (0, received):
            raise _SourceError(f"sends bytes from {start:,} instead of from {received:,}")
        if start < received:
            self.log(f"{_host(response.url)} cannot resume; starting over")
        self.bar.update(self.task, completed=start)
        with self.part.open("ab" if start else "wb") as file:
            for chunk in chain([first], chunks):
                if file.tell() + len(chunk) > self.archive.size:
                    self.part.unlink()
                    raise _SourceError(f"sends more than {self.archive.size:,} bytes")
                file.write(chunk)
                self.bar.advance(self.task, len(chunk))
        if _size(self.part) < self.archive.size:
            raise _TransientError(f"ended after {_size(self.part):,} of {self.archive.size:,} bytes")


def _check_status(response: requests.Response) -> None:
    """Raise _TransientError or _SourceError unless the response has a body."""
    if response.status_code in TRANSIENT_STATUSES:
        raise _TransientError(f"responds with {response.status_code} {response.reason}")
    if response.status_code not in (200, 206):
        raise _SourceError(f"responds with {response.status_code} {response.reason}")


def _check_content(response: requests.Response, first: bytes, start: int) -> None:
    """Raise _SourceError if the first chunk, at byte `start` of the file, is not part of a zip archive."""
    looks_like_html = start == 0 and first.lstrip().startswith(b"<")
    if looks_like_html or "html" in response.headers.get("Content-Type", "").lower():
        raise _SourceError(HTML_INSTEAD)
    if start == 0 and not first.startswith(ZIP_MAGIC[: len(first)]):
        raise _SourceError("sends a file that is not a zip archive")


def _chunks(response: requests.Response, timeout: float) -> Iterator[bytes]:
    """Yield the bytes of a response as they arrive. Raises _TransientError if they arrive too slowly."""
    since, received = time.monotonic(), 0
    while chunk := response.raw.read1(CHUNK_SIZE, decode_content=False):
        yield chunk
        received += len(chunk)
        if (elapsed := time.monotonic() - since) > timeout:
            if received < MIN_BYTES_PER_SECOND * elapsed:
                raise _TransientError(f"sent only {received:,} bytes in {elapsed:.0f} s")
            since, received = time.monotonic(), 0


def _content_range(response: requests.Response) -> tuple[int, int | None]:
    """Return the offset in the file at which a response starts, and the size of the file if it is stated."""
    if response.status_code == 206:
        header = response.headers.get("Content-Range", "")
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", header, re.IGNORECASE)
        if not match:
            raise _SourceError("sends partial content without a valid Content-Range")
        return int(match[1]), None if match[2] == "*" else int(match[2])
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdecimal() else None


def _pause(retry: Retry, response: requests.Response | None) -> float:
    """Return the seconds to wait: the server's Retry-After, or else the exponential backoff."""
    try:
        retry_after = None if response is None else retry.get_retry_after(response.raw)
    except InvalidHeader:
        retry_after = None
    return retry_after or retry.get_backoff_time()


def _reason(error: BaseException) -> str:
    """Return the root cause of an error as one short line, such as "fails (Connection refused)"."""
    error = root_cause(error)
    if isinstance(error, (_TransientError, _SourceError)):
        return str(error)
    return f"fails ({one_line(error)})"


def _host(url: str) -> str:
    """Return the host of a URL, without credentials and query, which must not be shown."""
    return re.sub(r"^\w+://(?:[^/?#]*@)?([^/?#]*).*", r"\1", url)


def _size(path: Path) -> int:
    """Return the size of a file in bytes, 0 if it does not exist."""
    return path.stat().st_size if path.exists() else 0
