"""One module per variant; `splitpose.models.registry` lists what a variant module must define."""
