"""What the workers count, and how `/metrics` tells it."""
