"""What the stage `train` is made of: the order of rows, batches, the loop, checkpoints, memory, curves, processes."""
