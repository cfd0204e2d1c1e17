"""The tools through which specialists reach the world, offered over MCP."""
