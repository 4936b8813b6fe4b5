"""One module per variant; `splitpose.models.registry` documents what such a module defines."""
