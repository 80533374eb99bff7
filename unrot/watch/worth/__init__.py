"""What rows are worth that depend on each other: repeats, runs and slow changes count for less."""
