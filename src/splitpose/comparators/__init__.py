"""Networks of the paper's Figure 1 and newer ones, with random weights, as comparators for latency."""
