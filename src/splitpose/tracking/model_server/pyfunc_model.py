"""The model that MLflow runs, from code: it keeps this file and the package beside it, and no pickle."""

from pathlib import Path
from threading import Lock
from typing import Any

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc import PythonModel, PythonModelContext

from splitpose.errors import InputError
from splitpose.inference.pose_model import PoseModel
from splitpose.tracking.model_server.rows import joints_in


class PyfuncPoseModel(PythonModel):
    """A TFLite file, the artifact `tflite`; see `rows.joints_in` for what it takes and gives."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the file. Raises InputError where it cannot be used."""
        self._model = PoseModel.load(Path(context.artifacts["tflite"]), metadata_required=True)
        self._one_at_a_time = Lock()  # MLflow's server answers in threads; the runtime holds one crop

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Joints of each row. Raises MLflow's error for bad requests, HTTP status 400, naming the first bad row."""
        try:
            with self._one_at_a_time:
                return joints_in(model_input, self._model)
        except InputError as error:
            raise MlflowException(str(error), INVALID_PARAMETER_VALUE) from error


set_model(PyfuncPoseModel())
