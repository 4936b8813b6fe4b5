"""Published results of the paper (Debnath, O'Brien, Yamaguchi and Behera, AVSS 2018), all on FLIC.

Percentages are PCK@0.2 (section 5). `variant` names the variant of this project that the row describes.
"""

from dataclasses import dataclass

SOURCE = "Debnath et al., Adapting MobileNets for mobile based upper body pose estimation, AVSS 2018"


@dataclass(frozen=True)
class Method:
    """A row of Table 1: PCK@0.2 of elbows and wrists, percent."""

    name: str
    elbows: float
    wrists: float


@dataclass(frozen=True)
class Design:
    """A row of Table 2: mean PCK@0.2 over the 11 joints (%), ms per image, millions of parameters, MB."""

    name: str
    accuracy: float
    milliseconds: float
    parameters: float
    megabytes: float


@dataclass(frozen=True)
class Head:
    """A row of Table 3: training and validation error (mean squared, of coordinates), accuracy (%)."""

    name: str
    variant: str
    train_error: float
    validation_error: float
    accuracy: float


TABLE_1 = (
    Method("Toshev et al.", 92.3, 82.0),
    Method("Tompson et al.", 93.1, 89.0),
    Method("Chen et al.", 95.3, 92.4),
    Method("Wei et al.", 97.6, 95.0),
    Method("the paper's final model", 97.6, 95.2),
    Method("Newell et al.", 99.0, 97.0),
)

TABLE_2 = (
    Design("Baseline", 96.4, 10, 4.3, 68),
    Design("Split", 96.9, 10, 3.3, 52),
    Design("Final", 97.3, 12, 2.3, 26),
)

TABLE_3 = (
    Head("Baseline", "baseline", 1.57e-4, 1.67e-3, 96.4),
    Head("GAP removed", "no_gap", 2.4e-5, 1.04e-3, 95.9),
    Head("Split", "split", 1.52e-4, 7.929e-4, 96.9),
)
