"""A plan: an immutable, acyclic graph of subtasks."""

from graphlib import CycleError, TopologicalSorter
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from domain.base import Value
from domain.errors import HostileOutput
from domain.files import vet_path
from domain.task_kind import TaskKind


class StubFile(Value):
    """A file that the work will create: its path and the signatures that tests may rely on."""

    path: str
    signatures: tuple[str, ...] = ()

    @field_validator("path")
    @classmethod
    def _plain(cls, path: str) -> str:
        try:
            return vet_path(path.removeprefix("./"))
        except HostileOutput as error:
            raise ValueError(str(error)) from error


MOST_COMMAND = 2_000


class Acceptance(Value):
    """What must hold for a subtask's tree before it is merged: shell commands that exit with 0, test files or ids that
    pass, and files that are there."""

    commands: tuple[Annotated[str, Field(min_length=1, max_length=MOST_COMMAND)], ...] = Field(
        default=(), max_length=10
    )
    tests: tuple[str, ...] = Field(default=(), max_length=50)
    files: tuple[str, ...] = Field(default=(), max_length=50)

    def __bool__(self) -> bool:
        return bool(self.commands or self.tests or self.files)


class Subtask(Value):
    """One node: a goal for one specialist. ``needs`` names the nodes whose work it starts from; ``inputs`` the files
    that it is shown; ``artifacts`` the files to keep besides the tree, as paths that may hold ``*`` and ``**``.

    ``share`` is its part of the task's budget, from 0 to 1; None where it may use all that is left.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    role: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")
    goal: str = Field(min_length=1)
    needs: tuple[str, ...] = ()
    inputs: tuple[str, ...] = Field(default=(), max_length=50)
    acceptance: Acceptance = Acceptance()
    share: float | None = Field(default=None, gt=0, le=1)
    artifacts: tuple[str, ...] = Field(default=(), max_length=20)


class Plan(Value):
    """An immutable DAG of subtasks. ``files`` are stubbed before the first test is written.

    ``language`` is the name of one of ``sandbox.languages``; ``framework`` is what its tests or pages are written with,
    where that is known.
    """

    kind: TaskKind
    subtasks: tuple[Subtask, ...] = Field(min_length=1, max_length=32)
    files: tuple[StubFile, ...] = ()
    language: str = Field(default="python", pattern=r"^[a-z]{1,20}$")
    framework: str = Field(default="", max_length=100)

    @model_validator(mode="after")
    def _acyclic(self) -> "Plan":
        ids = [subtask.id for subtask in self.subtasks]
        if len(set(ids)) != len(ids):
            raise ValueError("two subtasks have the same id")
        for subtask in self.subtasks:
            if unknown := set(subtask.needs) - set(ids):
                raise ValueError(f"subtask {subtask.id} needs {sorted(unknown)}, which the plan does not have")
        try:
            TopologicalSorter(self.graph()).prepare()
        except CycleError as error:
            raise ValueError(f"the subtasks need each other in a circle: {error.args[1]}") from error
        return self

    def graph(self) -> dict[str, tuple[str, ...]]:
        """Subtask id -> the ids that it needs."""
        return {subtask.id: subtask.needs for subtask in self.subtasks}

    def subtask(self, subtask_id: str) -> Subtask:
        """The subtask of that id; KeyError when there is none."""
        for subtask in self.subtasks:
            if subtask.id == subtask_id:
                return subtask
        raise KeyError(subtask_id)
