"""Reading, writing and editing files."""

from functools import partial

from pydantic import BaseModel, Field

from domain.text import plain
from mcp_server.caller import Permission
from mcp_server.edit import apply_edit
from mcp_server.lines import lines_of, page
from mcp_server.registry import AnyTool
from mcp_server.session import ToolSession
from mcp_server.syntax import SyntaxCheck, check_change
from mcp_server.tool import Tool, ToolLimits, ToolOutcome, ToolRefused
from mcp_server.tools.paths import PathArguments

MAX_FILE_BYTES = 1024 * 1024
QUICK = ToolLimits(timeout_s=150)
"""Longer than a transfer into the sandbox may take."""


class ReadFile(PathArguments):
    """Arguments of read_file."""

    start: int = Field(default=1, ge=1, description="first line, from 1")
    end: int | None = Field(default=None, ge=1, description="last line, inclusive")


class WriteFile(PathArguments):
    """Arguments of write_file."""

    content: str = Field(description="the whole content of the file")


class EditFile(PathArguments):
    """Arguments of edit_file."""

    old: str = Field(description="the exact lines to replace; they must occur once")
    new: str = Field(description="what to put in their place")


class FileLines(BaseModel):
    """Which lines of a file were shown, from 1, of how many."""

    path: str
    first: int
    last: int
    total: int


class FileChange(BaseModel):
    """A file that was written: whether it is new, and how many lines it has."""

    path: str
    created: bool
    lines: int


async def _read(session: ToolSession, arguments: ReadFile) -> ToolOutcome:
    shown = page(arguments.path, lines_of(_text(session, arguments.path)), arguments.start, arguments.end)
    data = FileLines(path=arguments.path, first=shown.first, last=shown.last, total=shown.total)
    return ToolOutcome(text=(plain(shown.text) or "[the file is empty]") + shown.more, data=data)


async def _write(syntax: SyntaxCheck | None, session: ToolSession, arguments: WriteFile) -> ToolOutcome:
    content = arguments.content.encode("utf-8", "replace")
    if len(content) > MAX_FILE_BYTES:
        raise ToolRefused("The content is longer than 1 MiB. Split it into several files.")
    known = session.tree.get(arguments.path)
    before = None if known is None or known.link is not None else known.content
    note = await check_change(syntax, arguments.path, before, content)
    await session.write(arguments.path, content)
    data = FileChange(path=arguments.path, created=known is None, lines=len(lines_of(arguments.content)))
    text = f"{'Created' if data.created else 'Replaced'} {data.path} ({data.lines} lines)."
    return ToolOutcome(text=f"{text}\n{note}" if note else text, data=data)


async def _edit(syntax: SyntaxCheck | None, session: ToolSession, arguments: EditFile) -> ToolOutcome:
    path = arguments.path
    text = _text(session, path)
    try:
        edited = apply_edit(text, arguments.old, arguments.new)
        if edited == text:
            raise ToolRefused("`old` and `new` are the same, so nothing changed.")
        content = edited.encode("utf-8", "replace")
        note = await check_change(syntax, path, text.encode(), content)
    except ToolRefused as refusal:
        raise session.edits.failed(path, text, str(refusal)) from None
    await session.write(path, content)
    said = f"Edited {path}."
    data = FileChange(path=path, created=False, lines=len(lines_of(edited)))
    return ToolOutcome(text=f"{said}\n{note}" if note else said, data=data)


def _text(session: ToolSession, path: str) -> str:
    try:
        return session.file(path).content.decode()
    except UnicodeDecodeError:
        raise ToolRefused(f"{path} is not a UTF-8 text file. Use shell to look at it.") from None


READ_FILE = Tool(
    name="read_file",
    description="Shows a file with line numbers.",
    session=ToolSession,
    arguments=ReadFile,
    permission=Permission.READ,
    handler=_read,
    example={"path": "app.py", "start": 1, "end": 80},
    data=FileLines,
    read_only=True,
    idempotent=True,
    limits=ToolLimits(timeout_s=30),
)


def file_tools(syntax: SyntaxCheck | None = None) -> tuple[AnyTool, ...]:
    """The tools. With a ``syntax`` check, a change that would break a file that parses is refused."""
    write = Tool(
        name="write_file",
        description="Creates a file or replaces its whole content.",
        session=ToolSession,
        arguments=WriteFile,
        permission=Permission.WRITE,
        handler=partial(_write, syntax),
        example={"path": "app.py", "content": "print('hello')\n"},
        data=FileChange,
        destructive=True,
        idempotent=True,
        limits=QUICK,
    )
    edit = Tool(
        name="edit_file",
        description="Replaces one piece of a file. `old` must occur once; copy it from the file without line numbers.",
        session=ToolSession,
        arguments=EditFile,
        permission=Permission.WRITE,
        handler=partial(_edit, syntax),
        example={"path": "app.py", "old": "return a - b", "new": "return a + b"},
        data=FileChange,
        destructive=True,
        limits=QUICK,
    )
    return (READ_FILE, write, edit)
