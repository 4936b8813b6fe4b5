"""The comparators by name: the networks of the paper's Figure 1, then newer ones for phones."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import keras

from splitpose.comparators import openpose, squeezenet, stacked_hourglass
from splitpose.comparators.conversion import Network


@dataclass(frozen=True)
class Comparator(Network):
    """A published network at the input size of its paper."""

    kind: Literal["classifier", "pose"]
    paper: str
    year: int


def _keras_classifier(name: str, size: int, paper: str, year: int) -> Comparator:
    """Return a classifier of keras.applications with 1000 classes."""
    return Comparator(partial(_build_keras_classifier, name), size, "classifier", paper, year)


def _build_keras_classifier(name: str, size: int) -> keras.Model:
    image = keras.Input((size, size, 3), name="image")
    model = getattr(keras.applications, name)(weights=None, input_tensor=image)
    return keras.Model(image, model.output, name=model.name)


COMPARATORS = {
    "SqueezeNet 1.1": Comparator(squeezenet.build, 224, "classifier", "Iandola et al., arXiv:1602.07360", 2016),
    "DenseNet-121": _keras_classifier("DenseNet121", 224, "Huang et al., CVPR", 2017),
    "ResNet-50": _keras_classifier("ResNet50", 224, "He et al., CVPR", 2016),
    "Xception": _keras_classifier("Xception", 299, "Chollet, CVPR", 2017),
    "Inception v3": _keras_classifier("InceptionV3", 299, "Szegedy et al., CVPR", 2016),
    "Inception-ResNet v2": _keras_classifier("InceptionResNetV2", 299, "Szegedy et al., AAAI", 2017),
    "OpenPose": Comparator(openpose.build, 368, "pose", "Cao et al., CVPR", 2017),
    "Hourglass, 2 stacks": Comparator(
        partial(stacked_hourglass.build, stacks=2), 256, "pose", "Newell et al., ECCV", 2016
    ),
    "Hourglass, 8 stacks": Comparator(
        partial(stacked_hourglass.build, stacks=8), 256, "pose", "Newell et al., ECCV", 2016
    ),
    "MobileNet v2": _keras_classifier("MobileNetV2", 224, "Sandler et al., CVPR", 2018),
    "MobileNet v3 small": _keras_classifier("MobileNetV3Small", 224, "Howard et al., ICCV", 2019),
    "MobileNet v3 large": _keras_classifier("MobileNetV3Large", 224, "Howard et al., ICCV", 2019),
}
