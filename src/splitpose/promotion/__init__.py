"""Who is champion: by the gate's word after a retraining, or by a person's."""

from splitpose.promotion.retrained import decide

__all__ = ["decide"]
