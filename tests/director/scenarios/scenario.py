"""Seeded bugs and false claims: what a task starts from, what its model does, and how it should end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from domain.files import File, FileTree
from domain.strategy import Planning, Strategy
from domain.task import Limits, TaskStatus
from domain.task_service import TaskOrder
from gateway.scripted import Line, Scene
from tests.director.stage import FIX, node, part, planned, submit, write

CODE = "You are the code specialist"
TESTER = "You are the test specialist"
MODULE, TEST = "calc.py", "tests/test_calc.py"
PLANNED = Strategy(planning=Planning.ALWAYS, samples=2)
THREE = Limits(max_attempts=3, test_run_s=20)
TWO = Limits(max_attempts=2, test_run_s=20)


@dataclass(frozen=True)
class Scenario:
    """A task with its script.

    ``ends`` are the ways in which it may end; ``reason`` is what its result has to say; ``events`` are types of facts
    that have to happen. Whatever it ends with, a claim of success must hold in a run of its own.
    """

    name: str
    scenes: tuple[Scene, ...]
    ends: tuple[TaskStatus, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    tests: tuple[str, ...] = ()
    reason: str = ""
    events: tuple[str, ...] = ()
    limits: Limits = THREE
    strategy: Strategy = PLANNED

    @property
    def marker(self) -> str:
        """What stands in every request about this task, so that one model can play all of them."""
        return f"[{self.name}]"

    def order(self) -> TaskOrder:
        """The task."""
        tree: FileTree = {path: File(content=text.encode()) for path, text in self.files.items()}
        return TaskOrder(
            prompt=f"{self.marker} Make calc.py right.", files=tree, tests=self.tests, limits=self.limits,
            strategy=self.strategy,
        )  # fmt: skip

    def script(self) -> list[Scene]:
        """The scenes, which play for this task alone."""
        return [scene.model_copy(update={"when": (self.marker, *scene.when)}) for scene in self.scenes]


def one_node() -> Scene:
    """The plan of most scenarios."""
    return planned(node("code"))


def writing(path: str, text: str) -> Line:
    """Writes a file."""
    return Line(calls=(write(path, text),))


def tries(first: str | Sequence[Line], mended: str | Sequence[Line]) -> tuple[Scene, ...]:
    """The specialist's parts: what it does at first, and what it does whenever its work came back."""
    return (one_node(), part(FIX, lines=_lines(mended)), part(CODE, lines=_lines(first)))


def _lines(what: str | Sequence[Line]) -> list[Line]:
    return [writing(MODULE, what), submit()] if isinstance(what, str) else list(what)
