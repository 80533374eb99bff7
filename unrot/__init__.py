"""Unrot: deploy a scikit-learn model, hear from its users, see it rot, un-rot it."""

__version__ = "0.1.0"
