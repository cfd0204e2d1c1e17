"""The way out for package clients: an HTTP proxy of ours that leads to the hosts of their own configuration only."""
