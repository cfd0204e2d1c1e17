"""What source files define, with line numbers, without their bodies."""

import asyncio
from functools import partial

from pydantic import BaseModel, ConfigDict, Field

from domain.errors import ParserUnavailable
from domain.files import FileTree
from domain.text import one_line
from mcp_server.caller import Permission
from mcp_server.code.languages import LANGUAGES
from mcp_server.lines import PAGE_CHARACTERS, lines_of
from mcp_server.registry import AnyTool
from mcp_server.repo_map.file_tags import Outline
from mcp_server.repo_map.repo_map import RepoMap
from mcp_server.session import ToolSession
from mcp_server.tool import Tool, ToolLimits, ToolOutcome, ToolRefused
from mcp_server.tools.paths import FolderPath

PAGE_SYMBOLS = 200
PAGE_FILES = 40
SYMBOLS_OF_EACH = 8
"""So many of each file are shown of a folder."""

UNREADABLE = "Source code cannot be outlined here. Use search and read_file."
SHOWN_SIGNATURE = 160
PATH_CHARACTERS = 300


class ShowOutline(BaseModel):
    """Arguments of outline."""

    model_config = ConfigDict(extra="forbid")

    path: FolderPath = Field(default=".", description="file or folder; the whole workspace when left out")
    start: int = Field(default=1, ge=1, description="the first symbol of a file, or file of a folder, to show, from 1")


class OutlinedSymbol(BaseModel):
    """A definition: lines from 1, the last one inclusive; ``depth`` counts the definitions around it."""

    path: str
    kind: str
    name: str
    signature: str
    first: int
    last: int
    depth: int


class Outlined(BaseModel):
    """Definitions of a file, or the first ones of each file of a folder. ``total`` counts the symbols of the file or
    the files of the folder; ``next_start`` leads to the next ones. ``unread`` are files without an answer."""

    symbols: list[OutlinedSymbol]
    total: int
    next_start: int | None
    unread: list[str]


async def _outline(repo_map: RepoMap | None, session: ToolSession, arguments: ShowOutline) -> ToolOutcome:
    if repo_map is None:
        raise ToolRefused(UNREADABLE)
    outlined = _of_file if arguments.path in session.tree else _of_folder
    try:
        return await outlined(repo_map, session, arguments)
    except ParserUnavailable:
        raise ToolRefused(UNREADABLE) from None


async def _of_file(repo_map: RepoMap, session: ToolSession, arguments: ShowOutline) -> ToolOutcome:
    path, file = arguments.path, session.file(arguments.path)
    outline = (await repo_map.outlines({path: file})).get(path)
    if outline is None:
        known = ", ".join(language.name for language in LANGUAGES)
        raise ToolRefused(
            f"{path} has no outline: it is too large, too intricate, or in none of these languages: {known}. "
            "Use search and read_file."
        )
    symbols = await asyncio.to_thread(_symbols, path, outline)
    _check_start(path, arguments.start, len(symbols), "symbols")
    lines = [f"{one_line(path, PATH_CHARACTERS)} ({len(lines_of(file.content.decode(errors='replace')))} lines):"]
    shown, size = [], 0
    for symbol in symbols[arguments.start - 1 :][:PAGE_SYMBOLS]:
        line = _line(symbol)
        if (size := size + len(line) + 1) > PAGE_CHARACTERS:
            break
        shown.append(symbol)
        lines.append(line)
    return _outcome(lines, shown, arguments.start + len(shown), len(symbols), [], "symbols")


async def _of_folder(repo_map: RepoMap, session: ToolSession, arguments: ShowOutline) -> ToolOutcome:
    paths = _below(session, arguments.path)
    _check_start(arguments.path, arguments.start, len(paths), "files")
    page = paths[arguments.start - 1 :][:PAGE_FILES]
    outlines = await repo_map.outlines({path: session.tree[path] for path in page})
    lines: list[str] = []
    symbols: list[OutlinedSymbol] = []
    count, size = 0, 0
    for path in page:
        found = _symbols(path, outlines[path], SYMBOLS_OF_EACH) if path in outlines else []
        part = [one_line(path, PATH_CHARACTERS) + (":" if found else ""), *map(_line, found)]
        if found and len(found) < len(outlines[path].outer):
            part.append(f"  [{len(outlines[path].outer) - len(found)} more]")
        if (size := size + sum(map(len, part)) + len(part)) > PAGE_CHARACTERS:
            break
        count, lines, symbols = count + 1, lines + part, symbols + found
    unread = [path for path in page[:count] if path not in outlines]
    return _outcome(lines, symbols, arguments.start + count, len(paths), unread, "files")


def _below(session: ToolSession, folder: str) -> list[str]:
    """The regular files at and below a folder. ToolRefused where there are none."""
    tree: FileTree = session.tree
    prefix = "" if folder == "." else f"{folder}/"
    paths = sorted(path for path, file in tree.items() if file.link is None and path.startswith(prefix))
    if not paths:
        raise ToolRefused(f"There is nothing at {one_line(folder)}. {session.near(folder)}")
    return paths


def _check_start(path: str, start: int, total: int, what: str) -> None:
    if start > max(1, total):
        raise ToolRefused(f"{one_line(path)} has {total} {what}. Start at one of them.")


def _symbols(path: str, outline: Outline, most: int | None = None) -> list[OutlinedSymbol]:
    """The first symbols outside of functions, in the order of the text."""
    depths: dict[int, int] = {}
    found = []
    for index in outline.outer[:most]:
        symbol = outline.symbols[index]
        depths[index] = depths.get(symbol.parent, -1) + 1 if symbol.parent is not None else 0
        found.append(
            OutlinedSymbol(
                path=path, kind=symbol.kind, name=symbol.name, signature=one_line(symbol.signature, SHOWN_SIGNATURE),
                first=symbol.start_line, last=symbol.end_line, depth=depths[index],
            )
        )  # fmt: skip
    return found


def _line(symbol: OutlinedSymbol) -> str:
    return f"{symbol.first:6}-{symbol.last:<6} {'  ' * symbol.depth}{symbol.signature}"


def _outcome(
    lines: list[str], symbols: list[OutlinedSymbol], after: int, total: int, unread: list[str], what: str
) -> ToolOutcome:
    left = total - after + 1
    if left > 0:
        lines = [*lines, f"[{left} more {what}; go on with start={after}]"]
    data = Outlined(symbols=symbols, total=total, next_start=after if left > 0 else None, unread=unread)
    return ToolOutcome(text="\n".join(lines), data=data)


def outline_tools(repo_map: RepoMap | None = None) -> tuple[AnyTool, ...]:
    """The tool; without ``repo_map`` it can read no source."""
    return (
        Tool(
            name="outline",
            description=(
                "Lists what a source file defines (classes, functions, constants) with line numbers, or the first "
                "definitions of every file below a folder."
            ),
            session=ToolSession,
            arguments=ShowOutline,
            permission=Permission.READ,
            handler=partial(_outline, repo_map),
            example={"path": "src/app.py", "start": 1},
            data=Outlined,
            read_only=True,
            idempotent=True,
            limits=ToolLimits(timeout_s=90),
        ),
    )
