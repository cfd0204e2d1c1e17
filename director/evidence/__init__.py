"""What is known about a tree: clean runs, what they say, and how far that goes."""
