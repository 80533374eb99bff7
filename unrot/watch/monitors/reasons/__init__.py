"""Reasons: what the champion leans on is no longer what it leaned on in training."""
