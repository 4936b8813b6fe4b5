"""Training of a model: batches, loss, learning rate schedule, validation steps and checkpoints."""
