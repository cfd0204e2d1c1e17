"""Reading source code: languages as data, the symbols of a file, its syntax problems.

Sources are hostile, and a parser is a C program: it can crash, or take all memory for a few kilobytes. Call these
functions in a worker process (``mcp_server.parsers``), never in the service.
"""
