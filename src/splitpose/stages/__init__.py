"""One thin module a DVC stage: parameters and paths in, files out, nothing else."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's start-up chatter; read when it is imported
