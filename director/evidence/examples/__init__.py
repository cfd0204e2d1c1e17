"""Examples in a request: found in its text, and written as tests that count as the user's own."""
