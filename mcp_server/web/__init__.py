"""Requests to hosts of the internet that are allowed."""
