"""Layers, backbone blocks and heads from which the variants are built."""
