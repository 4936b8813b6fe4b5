"""What is done with pictures and videos."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PredictOptions:
    """Choices of whoever predicts.

    search: somebody without a box is searched, by models that give confidence; else the whole picture is looked at.
    follow, smooth: of people in videos.
    draw: pictures and videos with their people drawn are written, and not the table alone.
    """

    search: bool = True
    follow: bool = True
    smooth: bool = True
    draw: bool = True
