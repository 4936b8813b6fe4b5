"""PCK and everything computed from predictions: intervals, paired differences, slices, robustness."""
