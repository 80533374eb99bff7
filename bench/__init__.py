"""Side-by-side measurements, each a command."""
