"""Whether a challenger takes the champion's place: evidence, verdict and the decisions that were made."""
