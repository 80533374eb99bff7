"""Where everything is kept for good: one contract, several stores behind it."""
