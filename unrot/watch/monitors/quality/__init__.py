"""Broken data: gaps, choices never seen, numbers far out, rows that are refused."""
