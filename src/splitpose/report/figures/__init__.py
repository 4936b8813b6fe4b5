"""The report's figures, each as the bytes of a PNG that are the same on every run."""
