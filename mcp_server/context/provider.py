"""What a provider of context is."""

from typing import Protocol

from domain.base import Value
from domain.files import FileTree
from domain.task import LOCAL_OWNER
from domain.tokens import bytes_within
from mcp_server.untrusted import untrusted

CUT = "\n[cut here]"


class Topic(Value):
    """What the context is for: the work in words, the paths that it is about, and whose work it is. ``query`` is what
    to look for in documents; without it they are summed up."""

    text: str = ""
    paths: tuple[str, ...] = ()
    owner: str = LOCAL_OWNER
    query: str = ""


class ContextProvider(Protocol):
    """Knows one thing about projects. ``name`` is a word for it."""

    @property
    def name(self) -> str:
        """The word."""
        ...

    async def give(self, files: FileTree, topic: Topic, budget_tokens: int) -> str:
        """What there is to know of a tree, in at most ``budget_tokens`` by our estimate; empty where that is nothing.

        What the tree says stands between the marks of ``mcp_server.untrusted``. Any error may be raised: the tree may
        hold anything.
        """
        ...


def marked(origin: str, text: str, budget_tokens: int) -> str:
    """The beginning of a text between marks, within a budget; empty where there is no room, or no text."""
    room = bytes_within(budget_tokens) - len(untrusted(origin, "").encode())
    shown = beginning(text, room)
    return untrusted(origin, shown) if shown else ""


def beginning(text: str, most_bytes: int) -> str:
    """As many whole lines as so many bytes hold, with a word on what was cut; empty where not even one is held."""
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= most_bytes:
        return text
    room = max(0, most_bytes - len(CUT))
    lines, newline, _ = encoded[:room].decode("utf-8", "ignore").rpartition("\n")
    return lines + CUT if newline and lines.strip() else ""
