"""The product's shell: settings, the composition root, and the command line."""
