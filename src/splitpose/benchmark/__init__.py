"""Benchmarks of TFLite files on a target device: latency, memory and operators."""
