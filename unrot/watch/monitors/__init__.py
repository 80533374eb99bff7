"""What looks at traffic: one noun a file."""
