"""Where a task stands: the tree to hand over, what is at work, and what was found out so far."""

from collections.abc import Iterable
from datetime import datetime
from itertools import chain

from director.equipment import Equipment
from director.evidence.verification import Verifier
from domain.events import Fact
from domain.evidence import Evidence
from domain.finding import Finding
from domain.journal import Journal
from domain.plan import Subtask
from domain.subtask_result import Stopped, StopReason
from domain.task import TaskSpec
from domain.workspace import MAIN_BRANCH, Workspace

TASK = ""
"""Names the task as a whole where subtasks are named by their ids."""

HARD_STOPS = frozenset({StopReason.BUDGET, StopReason.WALL_CLOCK, StopReason.TOKENS})


class Standing:
    """Shared by all that work on one task.

    ``start`` is the commit that the work begins at, ``best`` the one to hand over, whatever happens, ``evidence`` what
    is known of it. ``active`` are the branches of the subtasks at work, ``stops`` what stopped them, and ``findings``
    what they found, by the id of the subtask; ``requested`` is work that was asked for, with who did. ``calls_tools``
    says whether the task's model may be able to. After the ``deadline`` no further attempt is begun.
    """

    def __init__(self, equipment: Equipment, spec: TaskSpec, workspace: Workspace, journal: Journal) -> None:
        self.equipment = equipment
        self.spec = spec
        self.workspace = workspace
        self.journal = journal
        self.verifier = Verifier(equipment, spec, workspace, journal)
        self.start = self.best = spec.base_commit
        self.evidence: Evidence | None = None
        self.attempts = 0
        self.calls_tools = True
        self.deadline: datetime | None = None
        self.stops: dict[str, Stopped] = {}
        self.active: dict[str, str] = {}
        self.ids: set[str] = set()
        self.findings: dict[str, tuple[Finding, ...]] = {}
        self.requested: dict[str, tuple[str, Subtask]] = {}

    @property
    def stopped(self) -> Stopped | None:
        """What stopped the work, where something did: a limit of the whole task, or above it, before any other."""
        return max(self.stops.values(), key=_is_hard, default=None)

    @property
    def hard_stopped(self) -> bool:
        """Whether no further attempt can help, because a limit of the whole task, or above it, was reached."""
        return any(map(_is_hard, self.stops.values()))

    async def may_go_on(self, journal: Journal) -> bool:
        """Whether a further attempt can help: no limit of the whole task was reached, and there is time left.

        The ``journal`` is that of whoever asks, since several may at the same time.
        """
        if self.hard_stopped:
            return False
        if self.deadline is None or await journal.now() < self.deadline:
            return True
        self.stops[TASK] = Stopped(reason=StopReason.WALL_CLOCK, detail="the time was up", commit=self.best, steps=0)
        return False

    def forget_stop(self, subtask_id: str) -> None:
        """Forgets that a subtask was stopped, once its work was done after all; a hard stop stays."""
        if (stopped := self.stops.get(subtask_id)) is not None and not _is_hard(stopped):
            del self.stops[subtask_id]

    def hand_on(self, to: str, by: Iterable[str]) -> None:
        """Adds what the subtasks ``by`` found to what another one did, for those that need that one."""
        found = (self.findings.get(subtask_id, ()) for subtask_id in (to, *by))
        self.findings[to] = tuple(dict.fromkeys(chain.from_iterable(found)))

    @property
    def shown(self) -> tuple[str, ...]:
        """The test files, which every specialist sees first."""
        return tuple(sorted(self.verifier.tests))

    async def tell(self, key: str, fact: Fact) -> None:
        """Writes down what happened; ``key`` is unique within the task."""
        await self.equipment.log.append(self.spec.id, key, fact)

    def new_id(self, wanted: str) -> str:
        """An id that no subtask of the task has yet."""
        found, number = wanted[:36], 1
        while found in self.ids:
            number += 1
            found = f"{wanted[:36]}-{number}"
        self.ids.add(found)
        return found

    async def salvage(self) -> None:
        """Makes the best of a task that is being ended: what was under way is added to it where that merges."""
        if self.evidence is None:
            for branch in self.active.values():
                await self.workspace.merge(MAIN_BRANCH, branch)
            self.best = await self.workspace.head(MAIN_BRANCH)


def _is_hard(stopped: Stopped) -> bool:
    return stopped.reason in HARD_STOPS and not stopped.scope.startswith("subtask:")
