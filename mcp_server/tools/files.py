"""Reading, writing and searching files."""

from pydantic import BaseModel, ConfigDict, Field, field_validator

from domain.command import Command, Verdict
from domain.errors import HostileOutput
from domain.files import vet_path
from domain.text import plain
from mcp_server.caller import Permission
from mcp_server.edit import apply_edit, number
from mcp_server.session import ToolSession
from mcp_server.tool import Tool, ToolOutcome, ToolRefused
from sandbox.base import IGNORED

MAX_FILE_BYTES = 1024 * 1024
DEFAULT_LINES = 400
EXCLUDED = ("--exclude-dir=.?*", *(f"--exclude-dir={name}" for name in sorted(IGNORED)))


class PathArguments(BaseModel):
    """A path in the workspace."""

    model_config = ConfigDict(extra="forbid")

    path: str = Field(description="path relative to the workspace, for example src/app.py")

    @field_validator("path")
    @classmethod
    def _plain(cls, path: str) -> str:
        try:
            return vet_path(path.removeprefix("/workspace/").removeprefix("./"))
        except HostileOutput as error:
            raise ValueError(str(error)) from error


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


class Search(BaseModel):
    """Arguments of search."""

    model_config = ConfigDict(extra="forbid")

    pattern: str = Field(min_length=1, max_length=1000, description="an extended regular expression, as grep -E takes")
    path: str = Field(default=".", description="file or folder to search")


async def _read(session: ToolSession, arguments: ReadFile) -> ToolOutcome:
    text = _text(session, arguments.path)
    lines = text.splitlines()
    end = min(arguments.end or arguments.start + DEFAULT_LINES - 1, len(lines))
    if arguments.start > max(1, len(lines)):
        raise ToolRefused(f"{arguments.path} has {len(lines)} lines. Start at one of them.")
    if arguments.end is not None and arguments.end < arguments.start:
        raise ToolRefused(f"`end` ({arguments.end}) is before `start` ({arguments.start}). Give them in order.")
    shown = number(lines[arguments.start - 1 : end], arguments.start)
    more = f"\n[{len(lines) - end} more lines; go on with start={end + 1}]" if end < len(lines) else ""
    return ToolOutcome(text=(plain(shown) or "[the file is empty]") + more)


async def _write(session: ToolSession, arguments: WriteFile) -> ToolOutcome:
    content = arguments.content.encode("utf-8", "replace")
    if len(content) > MAX_FILE_BYTES:
        raise ToolRefused("The content is longer than 1 MiB. Split it into several files.")
    created = arguments.path not in session.tree
    await session.write(arguments.path, content)
    lines = len(arguments.content.splitlines())
    return ToolOutcome(text=f"{'Created' if created else 'Replaced'} {arguments.path} ({lines} lines).")


async def _edit(session: ToolSession, arguments: EditFile) -> ToolOutcome:
    text = _text(session, arguments.path)
    edited = apply_edit(text, arguments.old, arguments.new)
    if edited == text:
        raise ToolRefused("`old` and `new` are the same, so nothing changed.")
    await session.write(arguments.path, edited.encode("utf-8", "replace"))
    return ToolOutcome(text=f"Edited {arguments.path}.")


async def _search(session: ToolSession, arguments: Search) -> ToolOutcome:
    command = Command(
        argv=("grep", "-rnIE", *EXCLUDED, "--max-count=50", "-e", arguments.pattern, "--", arguments.path),
        timeout_s=20,
        output_limit=256 * 1024,
    )
    result = await session.sandbox.run(command)
    if result.exit_code == 1 and not result.stderr:
        return ToolOutcome(text="No match.")
    if result.verdict not in {Verdict.OK, Verdict.OUTPUT_LIMIT}:
        raise ToolRefused(f"The search failed: {plain(result.text())[:500] or result.verdict}. Try a simpler pattern.")
    return ToolOutcome(text=plain(result.stdout.decode(errors="replace")))


def _text(session: ToolSession, path: str) -> str:
    try:
        return session.file(path).content.decode()
    except UnicodeDecodeError:
        raise ToolRefused(f"{path} is not a UTF-8 text file. Use shell to look at it.") from None


FILE_TOOLS = (
    Tool(
        name="read_file",
        description="Shows a file with line numbers.",
        session=ToolSession,
        arguments=ReadFile,
        permission=Permission.READ,
        handler=_read,
        example={"path": "app.py", "start": 1, "end": 80},
        read_only=True,
        idempotent=True,
    ),
    Tool(
        name="write_file",
        description="Creates a file or replaces its whole content.",
        session=ToolSession,
        arguments=WriteFile,
        permission=Permission.WRITE,
        handler=_write,
        example={"path": "app.py", "content": "print('hello')\n"},
        destructive=True,
        idempotent=True,
    ),
    Tool(
        name="edit_file",
        description="Replaces one piece of a file. `old` must occur once; copy it from the file without line numbers.",
        session=ToolSession,
        arguments=EditFile,
        permission=Permission.WRITE,
        handler=_edit,
        example={"path": "app.py", "old": "return a - b", "new": "return a + b"},
        destructive=True,
    ),
    Tool(
        name="search",
        description="Finds lines that match an extended regular expression.",
        session=ToolSession,
        arguments=Search,
        permission=Permission.READ,
        handler=_search,
        example={"pattern": "def main", "path": "."},
        read_only=True,
        idempotent=True,
    ),
)
