"""Predictions that look like nothing that training saw: told apart, counted and listed."""
