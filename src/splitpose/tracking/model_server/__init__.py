"""A TFLite file as an MLflow model that is served over HTTP: rows with images in, rows with joints out."""
