"""MCP servers of others: configured by a person, approved tool by tool, and never trusted."""
