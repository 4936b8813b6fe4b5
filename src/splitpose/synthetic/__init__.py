"""Rendering of synthetic images of people with known joints, in the style of film frames."""
