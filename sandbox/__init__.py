"""Short-lived containers in which generated code runs."""
