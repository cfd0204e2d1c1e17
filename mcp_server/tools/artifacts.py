"""Paging what was too long to be shown at once, and files that were kept."""

import asyncio
from functools import partial

from pydantic import BaseModel, ConfigDict, Field

from domain.text import one_line, plain
from mcp_server.caller import Permission
from mcp_server.kept_files import KeptFiles
from mcp_server.lines import Page, page, wrapped
from mcp_server.registry import AnyTool
from mcp_server.session import ToolSession
from mcp_server.tool import Tool, ToolLimits, ToolOutcome, ToolRefused

LISTED = 20


class ReadArtifact(BaseModel):
    """Arguments of read_artifact."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(min_length=1, max_length=1100, description="answer-1, for example, or the path of a kept file")
    start: int = Field(default=1, ge=1, description="first line, from 1")
    end: int | None = Field(default=None, ge=1, description="last line, inclusive")


class ArtifactLines(BaseModel):
    """Which lines were shown, from 1, of how many; a line that is too long to be shown counts as several."""

    id: str
    first: int
    last: int
    total: int


async def _read(kept: KeptFiles | None, session: ToolSession, arguments: ReadArtifact) -> ToolOutcome:
    text = session.answers.get(arguments.id)
    if text is None:
        text = await _kept_text(kept, session, arguments.id)

    def turn() -> Page:
        return page(one_line(arguments.id), wrapped(text), arguments.start, arguments.end)

    shown = await asyncio.to_thread(turn)
    data = ArtifactLines(id=arguments.id, first=shown.first, last=shown.last, total=shown.total)
    return ToolOutcome(text=(shown.text or "[it is empty]") + shown.more, data=data)


async def _kept_text(kept: KeptFiles | None, session: ToolSession, name: str) -> str:
    files = await kept.of(session.caller.task_id) if kept is not None else {}
    if kept is None or name not in files:
        known = [*session.answers.names, *files]
        listing = ", ".join(one_line(one) for one in known[-LISTED:]) or "none yet"
        raise ToolRefused(f"There is no artifact {one_line(name)!r}, or not any longer. There are: {listing}.")
    try:
        return plain((await kept.content(files[name])).decode())
    except UnicodeDecodeError:
        raise ToolRefused(f"{one_line(name)} is not a UTF-8 text file, so it cannot be shown.") from None


def artifact_tools(kept: KeptFiles | None = None) -> tuple[AnyTool, ...]:
    """The tool; without ``kept`` it knows long answers only."""
    return (
        Tool(
            name="read_artifact",
            description="Shows lines of a long answer that was cut, by the id that was told there, or of a kept file.",
            session=ToolSession,
            arguments=ReadArtifact,
            permission=Permission.READ,
            handler=partial(_read, kept),
            example={"id": "answer-1", "start": 1, "end": 200},
            data=ArtifactLines,
            read_only=True,
            idempotent=True,
            limits=ToolLimits(timeout_s=60),
        ),
    )
