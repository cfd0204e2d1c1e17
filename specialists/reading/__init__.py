"""What a reply in plain text holds: thoughts, fenced blocks, paths, edits, and calls however models write them."""
