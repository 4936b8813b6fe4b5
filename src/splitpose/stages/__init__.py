"""One thin module a DVC stage: parameters and paths in, files out, nothing else."""
