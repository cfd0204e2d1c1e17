"""Programs of ours that run in a sandbox, by its own Python. Each is one file that needs the standard library alone."""
