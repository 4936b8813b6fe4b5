"""Networks to compare latency with: those of the paper's Figure 1 and today's, with random weights."""
