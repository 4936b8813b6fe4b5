"""The MLflow model, which is loaded from this file and the package's code instead of a pickle."""

from pathlib import Path
from threading import Lock
from typing import Any

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from splitpose.errors import InputError
from splitpose.inference.pose_model import PoseModel
from splitpose.tracking.model_server.rows import predict_rows


class PyfuncPoseModel(PythonModel):
    """A TFLite file, the artifact `tflite`; `rows.predict_rows` documents its input and output."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the file. Raises InputError if it cannot be used."""
        self._model = PoseModel.load(Path(context.artifacts["tflite"]), metadata_required=True)
        self._lock = Lock()  # MLflow's server calls `predict` in several threads; the runtime has one input buffer

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Return the joints of each row. Raises MlflowException (HTTP status 400), which names an invalid row."""
        try:
            with self._lock:
                return predict_rows(model_input, self._model)
        except InputError as error:
            raise MlflowException(str(error), INVALID_PARAMETER_VALUE) from error


set_model(PyfuncPoseModel())
