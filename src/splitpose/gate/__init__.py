"""Whether a challenger takes the champion's place: evidence, verdict and the decisions that were made."""

from splitpose.gate.judgement import Judgement, judge

__all__ = ["Judgement", "judge"]
