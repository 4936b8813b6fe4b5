"""The one way to run a TFLite file: runtime, crops, search, tracking, images and videos."""
