"""Watching on pages and over HTTP: one concern a module."""
