"""A task's files as snapshots on branches."""

from typing import Protocol

from domain.base import Value
from domain.files import File, FileTree, TreeChange
from domain.past import Past

BASE_BRANCH = "base"
MAIN_BRANCH = "main"


class Snapshot(Value):
    """A commit, its tree, and the paths in which it differs from its parent."""

    commit: str
    tree: str
    paths: tuple[str, ...] = ()


class Prepared(Value):
    """A snapshot that is on no branch yet, and the commit that it follows."""

    snapshot: Snapshot
    parent: str


class Merge(Value):
    """A merge's commit, or the paths that stand in its way; then the commit is the target's, unchanged."""

    commit: str
    conflicts: tuple[str, ...] = ()


class Workspace(Protocol):
    """One task's files."""

    async def start(self, files: FileTree) -> Snapshot:
        """The first commit, on the branch ``base``."""
        ...

    async def came_from(self, repository: str, commit: str) -> None:
        """Remembers the repository, by the path of its folder, and the commit that the first files were taken from."""
        ...

    async def past(self) -> Past | None:
        """The history of the repository that the files came from; None where they came from none."""
        ...

    async def head(self, branch: str) -> str:
        """The branch's newest commit; KeyError when there is no such branch."""
        ...

    async def branch(self, name: str, commit: str) -> None:
        """Makes a branch at a commit, or moves it there."""
        ...

    async def prepare(self, branch: str, change: TreeChange, message: str) -> Prepared:
        """What ``snapshot`` would make, for it to take soon: the branch stays where it is."""
        ...

    async def snapshot(
        self, branch: str, change: TreeChange, message: str, prepared: Prepared | None = None
    ) -> Snapshot:
        """Commits a change on a branch. A change that changes nothing gives the present commit, with no paths.

        What was ``prepared`` of the same change is taken, where the branch has not gone on since.
        """
        ...

    async def merge(self, into: str, branch: str) -> Merge:
        """Merges one branch into another; a conflict changes nothing and names its paths."""
        ...

    async def tree(self, commit: str) -> str:
        """The hash of a commit's tree."""
        ...

    async def files(self, commit: str) -> FileTree:
        """Every file and link of a commit."""
        ...

    async def file(self, commit: str, path: str) -> File | None:
        """One file of a commit, or None."""
        ...

    async def paths(self, old: str, new: str) -> tuple[str, ...]:
        """The paths in which two commits differ, sorted."""
        ...

    async def patch(self, old: str, new: str) -> str:
        """The difference of two commits as a git patch."""
        ...

    async def changed_lines(self, old: str, new: str) -> dict[str, frozenset[int]]:
        """Path -> the numbers, from 1, of the lines in ``new`` that ``old`` does not have."""
        ...


class Workspaces(Protocol):
    """The workspaces of all tasks."""

    async def create(self, task_id: str) -> Workspace:
        """An empty workspace for a new task."""
        ...

    def open(self, task_id: str) -> Workspace:
        """The workspace of a task; UnknownTask when there is none."""
        ...
