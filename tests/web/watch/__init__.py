"""What is seen of a model, on pages and over HTTP."""
