"""Joints in anyone's pictures and videos with a TFLite file alone: no TensorFlow, no pandas."""
