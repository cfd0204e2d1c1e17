"""Understanding a request and turning it into a plan."""
