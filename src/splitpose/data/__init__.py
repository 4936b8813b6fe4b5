"""Readers of annotation files, the download of FLIC, and train/val/test splits."""
