"""Hear from the users of a model: what a verdict says is true, and whose word it is."""
