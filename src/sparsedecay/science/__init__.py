"""What decides numbers, and nothing else."""
