"""Embeddings, recall of similar tasks and learnt patterns (planned; nothing is stored yet)."""
