"""Small upper-body pose models for phones, after Debnath et al., AVSS 2018."""

import os

MAX_IMAGE_PIXELS = 200_000_000
"""Maximum number of pixels of an image that is decoded: photographs of the largest phone cameras are smaller."""

# OpenCV reads its limit once, when it is imported, and applies it to every format before an image is decoded.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_IMAGE_PIXELS))
