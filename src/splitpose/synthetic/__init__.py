"""Rendered images of synthetic people with known joints, in the style of film stills."""
