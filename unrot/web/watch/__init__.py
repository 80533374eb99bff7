"""What is seen of a model: pages and routes of watching."""
