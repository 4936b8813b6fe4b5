"""Inference with a TFLite file: crops, sliding-window search, person tracking, images and videos.

Needs neither TensorFlow nor Keras nor pandas.
"""
