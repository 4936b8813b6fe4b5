"""A TFLite file written as an MLflow model that loads where this project is not installed."""

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd

import splitpose
from splitpose.annotations import BOX_COLUMNS
from splitpose.tracking.model_server.rows import COLUMNS, PICTURE

if TYPE_CHECKING:  # MLflow takes seconds to import
    from mlflow.models import ModelSignature

NEEDED = ("mlflow", "numpy", "pandas", "opencv-python-headless", "ai-edge-litert", "pydantic", "pyyaml")
"""Packages that the model runs on; they bring all others. TensorFlow is not among them."""


def save(tflite: Path, folder: Path) -> None:
    """Write the model with its code, signature, example and requirements into `folder`, which is new or empty."""
    from mlflow import pyfunc

    package = Path(splitpose.__file__).parent
    pyfunc.save_model(
        folder,
        python_model=package / "tracking" / "model_server" / "pyfunc_model.py",
        artifacts={"tflite": str(tflite)},
        code_paths=[str(package)],
        signature=signature(),
        input_example=example(),
        pip_requirements=[f"{name}=={version(name)}" for name in NEEDED],
    )


def signature() -> "ModelSignature":
    """Columns of what the model takes and gives."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    boxes = (ColSpec(DataType.double, column, required=False) for column in BOX_COLUMNS)
    joints = (ColSpec(DataType.double, column, "_confidence" not in column) for column in COLUMNS)
    return ModelSignature(Schema([ColSpec(DataType.binary, PICTURE), *boxes]), Schema([*joints]))


def example() -> pd.DataFrame:
    """Two rows with a drawn picture of 64 x 48 px: a person's box, and none."""
    across, down = np.meshgrid(np.arange(0, 256, 4), np.arange(0, 240, 5))
    drawn = np.stack([across, down, across[:, ::-1]], axis=-1).astype(np.uint8)
    content = cv2.imencode(".png", drawn)[1].tobytes()
    boxes = np.array([[16.0, 8.0, 48.0, 40.0], [np.nan] * 4])
    return pd.DataFrame({PICTURE: [content, content]} | dict(zip(BOX_COLUMNS, boxes.T, strict=True)))
