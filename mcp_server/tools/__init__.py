"""The tools of specialists."""

from mcp_server.tools.commands import COMMAND_TOOLS
from mcp_server.tools.files import FILE_TOOLS

SPECIALIST_TOOLS = (*COMMAND_TOOLS, *FILE_TOOLS)
