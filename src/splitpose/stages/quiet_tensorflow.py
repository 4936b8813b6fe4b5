"""TensorFlow imported without its start-up chatter; imported first by the stages that need TensorFlow.

TensorFlow 2.21 writes it from C++ before any log level of its own counts, five lines a stage.
"""

import os
import sys
from importlib import import_module

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

if "tensorflow" not in sys.modules:
    stderr = os.dup(2)
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 2)
    try:
        import_module("tensorflow")
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
