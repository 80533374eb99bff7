"""Rot: a model is right less often than it was, or than its test set promised."""
