"""Promotion of the challenger to champion: automatically after a retraining, or manually."""

from splitpose.promotion.automatic import decide

__all__ = ["decide"]
