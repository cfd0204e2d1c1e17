"""Every call of a tool passes here: one check, one question where one is due, one audit entry, one answer."""

import asyncio
import json
import logging
import math
import time
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from domain.approval import ApprovalPolicy, ApprovalQuestion, Approver
from domain.audit import AuditEntry, AuditLog, AuditVerdict
from domain.errors import HostileOutput, InfrastructureError, SoundstageError
from domain.replies import ReplyProblem
from domain.text import excerpt, one_line, plain
from mcp_server.caller import Session
from mcp_server.correction import against_schema, unknown_tool, wrong_arguments
from mcp_server.registry import AnyTool, Registry
from mcp_server.tool import ToolOutcome, ToolRefused

SHOWN_UNKNOWN = 500
"""Characters that are shown of an answer about a tool that there is not."""

MOST_ASKED = 20_000
"""Characters of a call's arguments, as JSON, that a person can be asked about."""

FIRST = ("command", "url", "path")
"""What says most about a call, and is shown before its other arguments."""


@dataclass(frozen=True)
class _End:
    """How a call ended. ``reason`` is for the audit log alone, where the caller must not read it."""

    verdict: AuditVerdict
    outcome: ToolOutcome
    reason: str = ""


class Dispatcher:
    """Calls tools of a registry. Without an ``approver`` nobody can be asked, so what needs approval is refused."""

    def __init__(self, registry: Registry, audit: AuditLog, approver: Approver | None = None) -> None:
        self.registry = registry
        self._audit = audit
        self._approver = approver

    async def call(
        self, session: Session, name: str, arguments: dict[str, Any], within_s: float = math.inf
    ) -> ToolOutcome:
        """What the tool answers. Whatever goes wrong becomes an outcome; only a cancellation is raised.

        A tool that is at work for ``within_s`` seconds is ended, or sooner where its own limit says so. What is too
        long to be shown is cut in the middle, and kept in full where the session can.
        """
        started, before = time.monotonic(), len(session.dropped)
        verdict, reason, size = AuditVerdict.CANCELLED, "", 0
        try:
            end = await self._checked(session, name, arguments, within_s)
            outcome = await self._shown(session, name, end.outcome)
            verdict, size = end.verdict, len(outcome.text.encode()) + outcome.block_bytes
            reason = end.reason or ("" if verdict is AuditVerdict.DONE else outcome.text)
            return outcome
        finally:
            undone = ", ".join(session.dropped[before:])
            reason = "; ".join(filter(None, (undone and f"undone, because protected: {undone}", reason)))
            self.record(session, name, verdict, reason, size, time.monotonic() - started)

    async def _checked(self, session: Session, name: str, arguments: dict[str, Any], within_s: float) -> _End:
        tool = self.registry.get(name)
        if tool is None or not tool.is_for(session):
            usable = [other.name for other in self.registry.usable(session)]
            text = unknown_tool(name, usable, exists=tool is not None)
            return _End(AuditVerdict.REFUSED, ToolOutcome(text=text, ok=False, problem=ReplyProblem.UNKNOWN_TOOL))
        try:
            parsed = tool.arguments.model_validate(arguments)
        except ValidationError as error:
            problem = ReplyProblem.ARGUMENTS_NOT_VALID if against_schema(error) else None
            return _failed(wrong_arguments(tool, error), problem)
        if (refusal := await self._refusal(session, tool, arguments)) is not None:
            return _End(AuditVerdict.REFUSED, refusal)
        return await _run(session, tool, parsed, min(within_s, tool.limits.timeout_s))

    async def _refusal(self, session: Session, tool: AnyTool, arguments: dict[str, Any]) -> ToolOutcome | None:
        caller = session.caller
        asked = {ApprovalPolicy.AUTO: False, ApprovalPolicy.DESTRUCTIVE: tool.destructive or tool.open_world}
        if not asked.get(caller.approval, True):
            return None
        summary = _summary(arguments)
        if len(summary) > MOST_ASKED:
            return ToolOutcome(text=_too_long(tool, len(summary)), ok=False)
        question = ApprovalQuestion(
            actor=caller.actor, task_id=caller.task_id, subtask_id=caller.subtask_id, tool=tool.name, summary=summary
        )
        if self._approver is None:
            said = "nobody can be asked here"
        else:
            answer = await self._approver.ask(question)
            if answer.approved:
                return None
            said = answer.note or "no reason was given"
        text = (
            f"{tool.name} was not approved ({one_line(said)}), so it did nothing. Find another way, or do without it."
        )
        return ToolOutcome(text=text, ok=False)

    async def _shown(self, session: Session, name: str, outcome: ToolOutcome) -> ToolOutcome:
        tool = self.registry.get(name)
        most = tool.limits.shown if tool is not None else SHOWN_UNKNOWN
        text = plain(outcome.text)
        if len(text) > most:
            kept = await session.keep(text)
            text = excerpt(text, most)
            if kept is not None:
                text += f"\n[{len(outcome.text)} characters in all: read_artifact(id={kept!r}) pages them]"
        return outcome.model_copy(update={"text": text}) if text != outcome.text else outcome

    def record(
        self, session: Session, name: str, verdict: AuditVerdict, reason: str, size: int, duration_s: float
    ) -> None:
        """Writes into the audit log what a caller did."""
        caller = session.caller
        self._audit.record(
            AuditEntry(
                owner=caller.owner, actor=caller.actor, task_id=caller.task_id, subtask_id=caller.subtask_id,
                tool=one_line(name), verdict=verdict, reason=one_line(reason), duration_s=duration_s, size=size,
            )
        )  # fmt: skip


def _summary(arguments: dict[str, Any]) -> str:
    """The whole arguments, with what says most first."""
    names = sorted(arguments, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))
    return plain(json.dumps({name: arguments[name] for name in names}, ensure_ascii=False))


def _too_long(tool: AnyTool, size: int) -> str:
    return (
        f"The arguments of {tool.name} have {size} characters. A person must approve it, and can be asked about "
        f"{MOST_ASKED} at most, so it did nothing. Do it in several smaller calls."
    )


async def _run(session: Session, tool: AnyTool, arguments: BaseModel, timeout_s: float) -> _End:
    try:
        async with asyncio.timeout(timeout_s) as patience:
            outcome: ToolOutcome = await tool.handler(session, arguments)
        outcome = outcome if outcome.block_bytes <= tool.limits.block_bytes else _too_large(tool, outcome)
        return _End(AuditVerdict.DONE if outcome.ok else AuditVerdict.FAILED, outcome)
    except ToolRefused as refusal:
        return _End(AuditVerdict.REFUSED, ToolOutcome(text=str(refusal), ok=False))
    except ValidationError as error:
        return _failed(wrong_arguments(tool, error))
    except HostileOutput as refusal:
        return _failed(f"Not kept. {refusal}")
    except InfrastructureError as failure:
        # The model can do nothing about it, so it must not be asked to: the loop looks here and stops.
        session.failure = failure
        return _failed(str(failure))
    except SoundstageError as error:
        return _failed(str(error))
    except Exception as error:  # a handler may raise anything, and its call must end with one audit entry
        if isinstance(error, TimeoutError) and patience.expired():
            return _failed(f"{tool.name} took over {timeout_s:.0f} s and was ended.")
        # A fault of ours: the caller must not see what is inside, and whoever runs this must.
        logging.getLogger(__name__).exception("The tool %s failed in a way that nobody expected.", tool.name)
        text = f"{tool.name} failed by a fault of its own, which was reported. Find another way, or do without it."
        return _End(AuditVerdict.FAILED, ToolOutcome(text=text, ok=False), type(error).__name__)


def _failed(text: str, problem: ReplyProblem | None = None) -> _End:
    return _End(AuditVerdict.FAILED, ToolOutcome(text=text, ok=False, problem=problem))


def _too_large(tool: AnyTool, outcome: ToolOutcome) -> ToolOutcome:
    most = tool.limits.block_bytes
    text = (
        f"What {tool.name} answered besides text has {outcome.block_bytes} bytes, and {most} is the most. Ask for less."
    )
    return ToolOutcome(text=text, ok=False)
