"""A verifier in a real Docker engine, with the tree before the work and trees after it."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from app.journal import MemoryJournal
from app.settings import Settings
from app.store import Store, open_store
from director.equipment import Equipment
from director.evidence.grading import grade
from director.evidence.verification import Verifier
from domain.events import TaskSubmitted
from domain.evidence import Evidence, Grade
from domain.files import File, FileTree, TreeChange
from domain.plan import Plan, StubFile, Subtask
from domain.task import TaskSpec
from domain.task_kind import TaskKind
from domain.workspace import BASE_BRANCH
from gateway.scripted import ScriptedProvider
from mcp_server.registry import Registry
from mcp_server.tools import SPECIALIST_TOOLS
from sandbox.base import Sandboxes
from tests.director.stage import TASK
from tests.gateway.house import single
from tests.sandbox.docker_place import docker_place


class Court:
    """A verifier that goes by a plan."""

    def __init__(self, verifier: Verifier, equipment: Equipment, start: str) -> None:
        self.verifier = verifier
        self.equipment = equipment
        self.start = start
        self._tried = 0

    async def work(self, files: Mapping[str, str | None]) -> str:
        """The commit of the tree before the work with these files; None takes one away."""
        workspace = self.equipment.workspaces.open(TASK)
        self._tried += 1
        branch = f"try-{self._tried}"
        await workspace.branch(branch, self.start)
        gone = frozenset(path for path, text in files.items() if text is None)
        change = TreeChange(written=as_tree({path: text for path, text in files.items() if text}), deleted=gone)
        return (await workspace.snapshot(branch, change, "work")).commit

    async def after(self, files: Mapping[str, str | None]) -> Evidence:
        """The evidence for the tree before the work with these files."""
        commit = await self.work(files)
        return await self.verifier.verify(f"final:{self._tried}", self.start, commit)

    async def graded(self, files: Mapping[str, str | None]) -> Grade:
        """How far that evidence goes."""
        evidence = await self.after(files)
        return grade(evidence, self.verifier.grounds(evidence))[0]


def as_tree(files: Mapping[str, str]) -> FileTree:
    """Files by their paths."""
    return {path: File(content=text.encode()) for path, text in files.items()}


def equipment_of(store: Store, sandboxes: Sandboxes) -> Equipment:
    """What a verifier works with; no model says anything."""
    return Equipment(
        sandboxes=sandboxes, workspaces=store.workspaces, gateway=single(ScriptedProvider(()), store.ledger),
        ledger=store.ledger, log=store.log, registry=Registry(SPECIALIST_TOOLS), audit=store.audit,
        artifacts=store.artifacts, journals=MemoryJournal, worker="w",
    )  # fmt: skip


@contextlib.asynccontextmanager
async def court(
    folder: Path, kind: TaskKind, files: Mapping[str, str], planned: tuple[StubFile, ...] = (), **spec: Any
) -> AsyncIterator[Court]:
    """A court whose verifier goes by a plan of that kind; what is to be looked at before the work was looked at."""
    async with open_store(Settings(soundstage_home=folder)) as store, docker_place() as place:
        workspace = await store.workspaces.create(TASK)
        start = await workspace.start(as_tree(files))
        asked = TaskSpec(**{"id": TASK, "prompt": "x", "model": "m", "base_commit": start.commit} | spec)
        equipment = equipment_of(store, place.sandboxes)
        await store.log.append(TASK, "submitted", TaskSubmitted(spec=asked))
        verifier = Verifier(equipment, asked, workspace, MemoryJournal(TASK))
        plan = Plan(kind=kind, files=planned, subtasks=(Subtask(id="code", role="code", goal="x"),))
        tests = verifier.follow(plan, as_tree(files))
        begun = await workspace.snapshot(BASE_BRANCH, TreeChange(written=tests), "tests")
        if verifier.looks_before:
            await verifier.look_before(begun.commit)
        yield Court(verifier, equipment, begun.commit)
