"""The MLflow model, which is loaded from this file and the package's code instead of a pickle."""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from splitpose.errors import InputError
from splitpose.tracking.model_server.limits import Limits
from splitpose.tracking.model_server.model_pool import ModelPool
from splitpose.tracking.model_server.rows import predict_rows


class PyfuncPoseModel(PythonModel):
    """A TFLite file, the artifact `tflite`; `rows.predict_rows` documents its input and output.

    MLflow's server calls `predict` in several threads at the same time.
    """

    def load_context(self, context: PythonModelContext) -> None:
        """Load the file and the limits. Raises InputError if one of them cannot be used."""
        self._limits = Limits.from_config(context.model_config)
        self._pool = ModelPool(Path(context.artifacts["tflite"]))

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Return the joints of each row's people. Raises MlflowException (HTTP status 400) with the reason."""
        try:
            return predict_rows(model_input, self._pool, self._limits, **(params or {}))
        except InputError as error:
            raise MlflowException(str(error), INVALID_PARAMETER_VALUE) from error


set_model(PyfuncPoseModel())
