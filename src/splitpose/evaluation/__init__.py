"""PCK and all metrics computed from predictions: intervals, paired differences, slices, robustness."""
