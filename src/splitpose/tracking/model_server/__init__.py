"""A TFLite file as an MLflow model: rows with pictures in, rows with joints out, over HTTP too."""
