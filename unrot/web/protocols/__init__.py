"""What other people's clients speak, each protocol in a file, over the same use cases."""
