"""How much the tests of a tree notice, seen in a clean room of its own."""

from collections.abc import Collection, Sequence

from director.evidence.mutation.sample import sample
from director.evidence.mutation.trials import Trials
from director.room import request_for
from domain.base import Value
from domain.evidence import MutationScore
from domain.files import FileTree
from domain.task import TaskSpec
from mcp_server.parsers.parsers import Parsers
from sandbox.base import Sandboxes

WITHIN_S = 300.0


class Subject(Value):
    """A tree by its hash and files, the lines that are to be changed by their files, and the tests to be tried."""

    tree: str
    files: FileTree
    lines: dict[str, frozenset[int]]
    tests: tuple[str, ...]
    language: str = "python"


class Measured(Value):
    """The score; None where the tests do not pass on the tree itself, or where nothing can be changed."""

    score: MutationScore | None = None


async def measure(sandboxes: Sandboxes, spec: TaskSpec, subject: Subject, most: int) -> Measured:
    """Tries the tests by up to ``most`` mutants in one fresh sandbox."""
    lines: dict[str, Collection[int]] = dict(subject.lines)
    async with Parsers() as parsers:
        candidates = await sample(parsers, subject.files, lines, most, subject.tree)
    if not candidates:
        return Measured()
    tests: Sequence[str] = subject.tests
    async with sandboxes.lease(request_for(spec, "mutants", WITHIN_S + 600, subject.language)) as sandbox:
        return Measured(score=await Trials(sandbox, subject.language, tests, WITHIN_S).score(subject.files, candidates))
