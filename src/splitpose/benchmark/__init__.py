"""Latency, memory and operators of TFLite files on a target device."""
