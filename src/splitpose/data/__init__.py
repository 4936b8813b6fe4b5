"""Readers of annotation sources, downloads and splits."""
