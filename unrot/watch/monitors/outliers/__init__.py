"""Outliers: rows that look like nothing that training saw, and bursts of them."""
