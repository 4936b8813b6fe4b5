"""Conversion of Keras models to TFLite files, and their parity with Keras."""
