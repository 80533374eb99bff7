"""Drift: what comes in, and what is answered, moves away from training."""
