"""Conversion of Keras models to TFLite files, and the check of their parity with Keras."""
