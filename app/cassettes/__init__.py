"""Exchanges with a model, recorded in a file, and replayed offline."""
