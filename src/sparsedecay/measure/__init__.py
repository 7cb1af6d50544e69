"""Measuring milestones, and joining their tables."""
