"""Installing what a workspace depends on, in a phase of its own, into an image layer."""
