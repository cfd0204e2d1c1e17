"""A specialist at work for tests: the real loop, tools, ledger and event log, and a model that follows a script."""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.journal import MemoryJournal
from app.settings import Settings
from app.store import Store, open_store
from domain.events import Fact, TaskSubmitted
from domain.ledger import Scope
from domain.plan import Subtask
from domain.subtask_result import SubtaskResult
from domain.task import TaskSpec
from gateway.base import Provider
from gateway.knowledge import Knowledge
from gateway.scripted import Line, Scene, ScriptedProvider
from mcp_server.protection import Protection
from specialists.assignment import Assignment
from specialists.loop import Loop
from specialists.role import Role
from specialists.role_files import role
from specialists.surroundings import Surroundings
from tests.gateway.house import single
from tests.mcp_server.place import Place, open_place

TASK = "task-1"
SUBTASK = Subtask(id="code", role="code", goal="Write calc.py.")
TEXT_MODE = "You have no tools to call"
"""What stands in the prompt once a model works in plain text."""


@dataclass(frozen=True)
class Desk:
    """Where a specialist works."""

    place: Place
    store: Store

    async def work(
        self,
        model: Provider,
        records: dict[str, bytes] | None = None,
        playing: Role | None = None,
        knowledge: Knowledge | None = None,
        **assigned: Any,
    ) -> SubtaskResult:
        """Runs the loop on an assignment; ``assigned`` changes it, ``records`` are the journal's."""
        assignment = assignment_of(**assigned)
        journal = MemoryJournal(TASK, records)
        around = Surroundings(
            single(model, self.store.ledger, knowledge=knowledge), self.place.client, journal, self.store.log
        )
        return await Loop(playing or role("code"), assignment, around).run()

    async def facts(self, kind: type[Fact] | type[Any]) -> list[Any]:
        """The facts of one kind, in order."""
        return [event.fact for event in await self.store.log.read(TASK) if isinstance(event.fact, kind)]


def assignment_of(**assigned: Any) -> Assignment:
    """An assignment to write calc.py."""
    usual = {
        "task_id": TASK,
        "subtask": SUBTASK,
        "key": "code:1:1",
        "model": "scripted",
        "brief": "Write calc.py.",
        "targets": ("calc.py",),
        "scope": "task",
        "max_steps": 20,
        "deadline": datetime.now(UTC) + timedelta(hours=1),
    }
    return Assignment.model_validate(usual | assigned)


@contextlib.asynccontextmanager
async def open_desk(
    folder: Path, files: Mapping[str, str] | None = None, token_cap: int | None = None, playing: str = "code"
) -> AsyncIterator[Desk]:
    """A desk with these files, where what the role protects is; ``token_cap`` is the budget."""
    protection = Protection(protected=role(playing).protected, writable=role(playing).writable)
    async with (
        open_store(Settings(soundstage_home=folder / "home")) as store,
        open_place(folder / "workspaces", files, protection) as place,
    ):
        spec = TaskSpec(id=TASK, prompt="Write calc.py.", model="scripted", base_commit=place.client.commit)
        await store.log.append(TASK, "submitted", TaskSubmitted(spec=spec))
        await store.ledger.open(Scope(id="task", token_cap=token_cap))
        yield Desk(place, store)


def script(*lines: Line | str, text: Sequence[Line | str] = ()) -> ScriptedProvider:
    """A model that says these lines in turn; ``text`` are its lines once it works in plain text."""
    return ScriptedProvider(
        (
            Scene(when=(TEXT_MODE,), lines=tuple(map(_line, text or ("(nothing)",)))),
            Scene(when=(), lines=tuple(map(_line, lines))),
        )
    )


def _line(said: Line | str) -> Line:
    return Line(text=said) if isinstance(said, str) else said


def call(name: str, **arguments: Any) -> Line:
    """A reply that calls one tool."""
    return Line(calls=((name, json.dumps(arguments)),))
