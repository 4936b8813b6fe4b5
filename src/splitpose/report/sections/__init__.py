"""The sections of the report, by theme."""
