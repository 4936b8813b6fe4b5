"""Readers of the annotation formats of labelling tools: one module per format, each with `read`.

A reader knows its format only. It returns an `AnnotationSet`; `people.py` selects the people and finds
their images.
"""
