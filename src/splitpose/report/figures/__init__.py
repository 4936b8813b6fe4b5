"""The report's figures, each as the bytes of a PNG, which are reproducible."""
