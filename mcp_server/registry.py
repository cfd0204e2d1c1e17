"""The one table of tools."""

from typing import Any

from mcp_server.tool import Tool
from mcp_server.tools.commands import COMMAND_TOOLS
from mcp_server.tools.files import FILE_TOOLS


class Registry:
    """Tools by name."""

    def __init__(self, tools: tuple[Tool[Any], ...] = (*COMMAND_TOOLS, *FILE_TOOLS)) -> None:
        self._tools = {tool.name: tool for tool in tools}

    def get(self, name: str) -> Tool[Any] | None:
        """The tool of that name, or None."""
        return self._tools.get(name)

    def all(self) -> list[Tool[Any]]:
        """Every tool, by name."""
        return [self._tools[name] for name in sorted(self._tools)]
