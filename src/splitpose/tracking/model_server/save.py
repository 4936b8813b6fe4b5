"""A TFLite file saved as an MLflow model that can be loaded where splitpose is not installed."""

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd

import splitpose
from splitpose.annotations import BOX_COLUMNS
from splitpose.tracking.model_server.limits import Limits
from splitpose.tracking.model_server.row_requests import IMAGE_COLUMN
from splitpose.tracking.model_server.rows import JOINT_COLUMNS, REGION_COLUMNS, ROW_COLUMN

if TYPE_CHECKING:  # MLflow takes seconds to import
    from mlflow.models import ModelSignature

REQUIREMENTS = (
    "mlflow",
    "numpy",
    "pandas",
    "opencv-python-headless",
    "pillow",
    "pillow-heif",
    "ai-edge-litert",
    "pydantic",
)
"""Direct requirements of the served model. TensorFlow is not one of them."""


def save(tflite: Path, folder: Path) -> None:
    """Save the model with its code, signature, input example and requirements to a new or empty folder."""
    from mlflow import pyfunc

    package = Path(splitpose.__file__).parent
    pyfunc.save_model(
        folder,
        python_model=package / "tracking" / "model_server" / "pyfunc_model.py",
        artifacts={"tflite": str(tflite)},
        code_paths=[str(package)],
        signature=signature(),
        model_config=Limits().to_config(),
        input_example=input_example(),
        pip_requirements=[f"{name}=={version(name)}" for name in REQUIREMENTS],
    )


def signature() -> "ModelSignature":
    """Return the schema of the model's input and output columns, and of its parameter `people`."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

    boxes = (ColSpec(DataType.double, column, required=False) for column in BOX_COLUMNS)
    values = (ColSpec(DataType.double, column, required=False) for column in (*REGION_COLUMNS, *JOINT_COLUMNS))
    return ModelSignature(
        Schema([ColSpec(DataType.binary, IMAGE_COLUMN), *boxes]),
        Schema([ColSpec(DataType.long, ROW_COLUMN), *values]),
        ParamSchema([ParamSpec("people", DataType.long, 1)]),
    )


def input_example() -> pd.DataFrame:
    """Return two rows with a gradient image of 64 x 48 px, the first with a bounding box, the second without."""
    x, y = np.meshgrid(np.arange(0, 256, 4), np.arange(0, 240, 5))
    image = np.stack([x, y, x[:, ::-1]], axis=-1).astype(np.uint8)
    content = cv2.imencode(".png", image)[1].tobytes()
    boxes = np.array([[16.0, 8.0, 48.0, 40.0], [np.nan] * 4])
    return pd.DataFrame({IMAGE_COLUMN: [content, content]} | dict(zip(BOX_COLUMNS, boxes.T, strict=True)))
