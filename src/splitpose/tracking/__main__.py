"""`python -m splitpose.tracking`: complete the MLflow runs of all variants from the files of the workspace."""

import sys
from pathlib import Path

from splitpose.errors import InputError
from splitpose.tracking import sync_runs

try:
    for variant, run in sync_runs(Path.cwd()).items():
        print(f"{variant}: MLflow run {run}")
except InputError as error:
    sys.exit(f"error: {error}")
