"""Training: `loop` (milestones, records, checkpoints) and one module per engine."""
