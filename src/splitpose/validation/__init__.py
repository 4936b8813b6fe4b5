"""Validation of annotation tables with Great Expectations."""

from splitpose.validation.result import ValidationResult, validate

__all__ = ["ValidationResult", "validate"]
