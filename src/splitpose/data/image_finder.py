"""Search for the images that annotation files name."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class ImageFinder:
    """Finds image files by the names that annotations give them.

    Args:
        folders: folders that are searched, the most likely one first.
    """

    folders: Sequence[Path]

    def find(self, file_name: str) -> Path | None:
        """Return the path of an image, None if there is no such file."""
        paths = (folder / PurePosixPath(file_name) for folder in self.folders)
        return next((path for path in paths if _is_file(path)), None)

    def missing_path(self, file_name: str) -> Path:
        """Return the path at which a missing image was expected first, for the annotation table."""
        return self.folders[0] / PurePosixPath(file_name)


def _is_file(path: Path) -> bool:
    """Return whether a file exists; False for a name that the system does not allow."""
    try:
        return path.is_file()
    except OSError:
        return False
