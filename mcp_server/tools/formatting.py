"""Formatting files by the formatter of their language, where the sandbox's image has it."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from pydantic import BaseModel, ConfigDict, Field

from domain.text import excerpt, plain
from mcp_server.caller import Permission
from mcp_server.session import ToolSession
from mcp_server.tool import Tool, ToolLimits, ToolOutcome, ToolRefused
from mcp_server.tools.paths import FolderPath
from sandbox.detection import language_of
from sandbox.languages import LANGUAGES, format_command

AT_ONCE = 200
LISTED = 20
TROUBLE_CHARACTERS = 4_000
NO_SUCH_PROGRAM = 127


class Format(BaseModel):
    """Arguments of format."""

    model_config = ConfigDict(extra="forbid")

    paths: list[FolderPath] = Field(
        default_factory=list, max_length=200, description="files or folders; all that you may change when empty"
    )


class Formatted(BaseModel):
    """Which files changed, how many were looked at, and the languages whose formatter is not in this sandbox."""

    changed: tuple[str, ...]
    looked_at: int
    unavailable: tuple[str, ...]


async def _format(session: ToolSession, arguments: Format) -> ToolOutcome:
    before, looked_at = len(session.changed), 0
    unavailable: list[str] = []
    troubles: list[str] = []
    for name, paths in _by_language(_chosen(session, arguments.paths)):
        missing, trouble = await _run(session, name, paths)
        if missing:
            unavailable.append(LANGUAGES[name].title)
        else:
            looked_at += len(paths)
        troubles += [trouble] if trouble else []
    note = await session.sync("format")
    changed = tuple(dict.fromkeys(session.changed[before:]))
    data = Formatted(changed=changed, looked_at=looked_at, unavailable=tuple(unavailable))
    text = "\n".join(part for part in (_describe(data), *troubles, note) if part)
    return ToolOutcome(text=text, ok=not troubles, data=data)


def _chosen(session: ToolSession, wanted: Sequence[str]) -> list[str]:
    """The files in a language of ours that the role may change, at and below the paths. ToolRefused."""
    for path in wanted:
        if path != "." and path not in session.tree and not any(one.startswith(f"{path}/") for one in session.tree):
            raise ToolRefused(f"There is nothing at {path}. {session.near(path)}")
    below = [
        path
        for path, file in sorted(session.tree.items())
        if file.link is None
        and language_of(path) is not None
        and (not wanted or any(one in {".", path} or path.startswith(f"{one}/") for one in wanted))
    ]
    if not below:
        known = ", ".join(entry.title for entry in LANGUAGES.values())
        raise ToolRefused(f"There is no file to format. Files of these languages can be formatted: {known}.")
    free = [path for path in below if session.protection.allows(path)]
    if not free:
        raise ToolRefused("These files are protected and stay as they are. Format the files that you changed.")
    return free


def _by_language(paths: Iterable[str]) -> list[tuple[str, list[str]]]:
    named = sorted((entry.name, path) for path in paths if (entry := language_of(path)))
    return [(name, [path for _, path in group]) for name, group in groupby(named, lambda pair: pair[0])]


async def _run(session: ToolSession, name: str, paths: Sequence[str]) -> tuple[bool, str]:
    """Whether the formatter is missing, and what it complained about."""
    troubles = []
    for at in range(0, len(paths), AT_ONCE):
        result = await session.sandbox.run(format_command(name, paths[at : at + AT_ONCE]))
        if result.exit_code == NO_SUCH_PROGRAM:
            return True, ""
        if not result.ok:
            troubles.append(plain(result.text()) or f"The formatter ended as {result.verdict}.")
    return False, excerpt("\n".join(troubles), TROUBLE_CHARACTERS)


def _describe(data: Formatted) -> str:
    lines = [f"{title} cannot be formatted: its formatter is not in this sandbox." for title in data.unavailable]
    if data.looked_at:
        more = f" and {len(data.changed) - LISTED} more" if len(data.changed) > LISTED else ""
        done = f"Formatted: {', '.join(data.changed[:LISTED])}{more}" if data.changed else "Nothing had to change"
        lines.append(f"{done} ({data.looked_at} files looked at).")
    return "\n".join(lines)


FORMAT_TOOLS = (
    Tool(
        name="format",
        description="Formats files by their language's formatter, and says which ones changed.",
        session=ToolSession,
        arguments=Format,
        permission=Permission.EXECUTE,
        handler=_format,
        example={"paths": ["src/app.py"]},
        data=Formatted,
        destructive=True,
        idempotent=True,
        limits=ToolLimits(timeout_s=600),
    ),
)
