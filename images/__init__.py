"""Dockerfiles of the sandbox images, and what goes into them."""
