"""A map of a repository: its most important symbols, within a budget of tokens."""
