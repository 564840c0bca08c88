"""Planners on MovingAI maps, beside published results."""
