"""The networks by name: the paper's Figure 1, and at the end those of today that a phone would run."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import keras

from splitpose.comparators import openpose, squeezenet, stacked_hourglass
from splitpose.comparators.conversion import Network


@dataclass(frozen=True)
class Comparator(Network):
    """A network to compare with, at the input size of its paper."""

    kind: Literal["classifier", "pose"]
    paper: str
    year: int


def _of_keras(name: str, size: int, paper: str, year: int) -> Comparator:
    """A classifier of keras.applications with its 1000 classes."""
    return Comparator(partial(_build_of_keras, name), size, "classifier", paper, year)


def _build_of_keras(name: str, size: int) -> keras.Model:
    picture = keras.Input((size, size, 3), name="picture")
    model = getattr(keras.applications, name)(weights=None, input_tensor=picture)
    return keras.Model(picture, model.output, name=model.name)


COMPARATORS = {
    "SqueezeNet 1.1": Comparator(squeezenet.build, 224, "classifier", "Iandola et al., arXiv:1602.07360", 2016),
    "DenseNet-121": _of_keras("DenseNet121", 224, "Huang et al., CVPR", 2017),
    "ResNet-50": _of_keras("ResNet50", 224, "He et al., CVPR", 2016),
    "Xception": _of_keras("Xception", 299, "Chollet, CVPR", 2017),
    "Inception v3": _of_keras("InceptionV3", 299, "Szegedy et al., CVPR", 2016),
    "Inception-ResNet v2": _of_keras("InceptionResNetV2", 299, "Szegedy et al., AAAI", 2017),
    "OpenPose": Comparator(openpose.build, 368, "pose", "Cao et al., CVPR", 2017),
    "Hourglass, 2 stacks": Comparator(
        partial(stacked_hourglass.build, stacks=2), 256, "pose", "Newell et al., ECCV", 2016
    ),
    "Hourglass, 8 stacks": Comparator(
        partial(stacked_hourglass.build, stacks=8), 256, "pose", "Newell et al., ECCV", 2016
    ),
    "MobileNet v2": _of_keras("MobileNetV2", 224, "Sandler et al., CVPR", 2018),
    "MobileNet v3 small": _of_keras("MobileNetV3Small", 224, "Howard et al., ICCV", 2019),
    "MobileNet v3 large": _of_keras("MobileNetV3Large", 224, "Howard et al., ICCV", 2019),
}
