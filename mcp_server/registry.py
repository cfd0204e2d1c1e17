"""The one table of tools."""

from collections.abc import Callable, Iterable
from typing import Any

from domain.errors import Conflict
from mcp_server.caller import Session
from mcp_server.tool import Tool

AnyTool = Tool[Any, Any]


class Registry:
    """Tools by name. Who asked for it is told when one comes or goes."""

    def __init__(self, tools: Iterable[AnyTool] = ()) -> None:
        self._tools: dict[str, AnyTool] = {}
        self._listeners: list[Callable[[], None]] = []
        self.register(*tools)

    def get(self, name: str) -> AnyTool | None:
        """The tool of that name, or None."""
        return self._tools.get(name)

    def all(self) -> list[AnyTool]:
        """Every tool, by name."""
        return [self._tools[name] for name in sorted(self._tools)]

    def usable(self, session: Session) -> list[AnyTool]:
        """The tools that a session's caller may use there, by name."""
        return [tool for tool in self.all() if tool.is_for(session)]

    def register(self, *tools: AnyTool) -> None:
        """Adds tools, all or none. Conflict when a name is taken."""
        names = [tool.name for tool in tools]
        taken = [name for name in names if name in self._tools or names.count(name) > 1]
        if taken:
            raise Conflict(f"There is a tool called {taken[0]!r} already. Give the new one another name.")
        self._tools.update(zip(names, tools, strict=True))
        self._tell()

    def remove(self, *names: str) -> None:
        """Takes tools out; one that is not there stays out."""
        if any(self._tools.pop(name, None) for name in names):
            self._tell()

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Calls ``listener`` after each change, until the function that is returned is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()
