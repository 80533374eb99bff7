"""What pages, API and command line read of a model: they look, and note nothing."""
