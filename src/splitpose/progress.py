"""Progress bars in the terminal, with rate and remaining time."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

Item = TypeVar("Item")

console = Console(highlight=False)
"""The console of all progress bars and stage messages: sharing one lets messages appear above a running bar."""


class Rate(ProgressColumn):
    """A column with the rate, e.g. "98 images/s"; empty before the first step.

    Args:
        unit: plural name of the counted items.
        size: items per step.
    """

    def __init__(self, unit: str, size: int = 1):
        super().__init__()
        self.unit, self.size = unit, size

    def render(self, task: Task) -> Text:
        """Return the rate of a task."""
        return Text(f"{task.speed * self.size:.0f} {self.unit}/s" if task.speed else "")


def bar(unit: str, size: int = 1) -> Progress:
    """Return a progress bar with `size` items per step; `unit` is their plural name."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(unit, size),
        TimeRemainingColumn(),
        console=console,
    )


def transfer() -> Progress:
    """Return a progress bar for a download; steps are bytes."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
    )


def track(items: Iterable[Item], title: str, total: int, unit: str) -> Iterator[Item]:
    """Yield the items and advance a progress bar with each."""
    with bar(unit) as progress:
        yield from progress.track(items, total=total, description=title)
