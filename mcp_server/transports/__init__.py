"""How clients outside this process reach an MCP server: standard input and output, and HTTP."""
