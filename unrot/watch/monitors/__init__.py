"""What watches a model: a folder or a file each, with its rule, its look and its words."""
