"""Progress of long work in the terminal: how much is done, how fast it proceeds, how long it will take."""

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
    """Work a second, e.g. "98 pictures/s"; empty until something is done.

    Args:
        unit: what is counted.
        size: how many of them a step is.
    """

    def __init__(self, unit: str, size: int = 1):
        super().__init__()
        self.unit, self.size = unit, size

    def render(self, task: Task) -> Text:
        """The rate of a task."""
        return Text(f"{task.speed * self.size:.0f} {self.unit}/s" if task.speed else "")


def bar(unit: str, size: int = 1) -> Progress:
    """A progress display whose steps are `size` of `unit` each."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(unit, size),
        TimeRemainingColumn(),
        console=console,
    )


def transfer() -> Progress:
    """A progress display whose steps are bytes."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
    )


def track(items: Iterable[Item], title: str, total: int, unit: str) -> Iterator[Item]:
    """The items as they come, with a bar that moves on at each."""
    with bar(unit) as progress:
        yield from progress.track(items, total=total, description=title)
