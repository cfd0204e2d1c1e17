"""Agents that do the work: one loop, many roles."""
