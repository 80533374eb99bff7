"""Serve a model: a row is read, answered by a compiled version, and written into the journal."""
