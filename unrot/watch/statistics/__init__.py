"""What several monitors reckon with: chances, distances, shares and their bounds."""
