"""A task's files: a bare git object store, never a checkout. A snapshot is a commit."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pygit2
from pygit2.enums import DiffOption

from domain.errors import StorageUnavailable, UnknownTask
from domain.files import File, FileTree, TreeChange
from domain.workspace import BASE_BRANCH, Merge, Prepared, Snapshot
from storage.git_tree import apply_change, author, file_at, read_tree
from storage.past import RepositoryPast

T = TypeVar("T")

ORIGIN, ORIGIN_COMMIT = "soundstage.repository", "soundstage.commit"
"""Where a workspace's configuration names the repository that its files came from."""


class Workspace:
    """One task's store. Its calls take turns, each in a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._repository: pygit2.Repository | None = None
        self._turn = asyncio.Lock()

    async def _call(self, work: Callable[[pygit2.Repository], T]) -> T:
        def run() -> T:
            try:
                if self._repository is None:
                    self._repository = pygit2.Repository(str(self._folder))
                return work(self._repository)
            except (OSError, pygit2.GitError) as error:
                raise StorageUnavailable(
                    f"The workspace {self._folder} cannot be written ({error}). Free disk space and run it again."
                ) from error

        async with self._turn:
            calling = asyncio.ensure_future(asyncio.to_thread(run))
            try:
                return await asyncio.shield(calling)
            except asyncio.CancelledError:
                # The thread works on: the next caller must find what it did, and not meet it at work.
                await asyncio.wait((calling,))
                raise

    async def start(self, files: FileTree) -> Snapshot:
        """The first commit, with these files."""
        return await self._call(lambda repository: _commit(repository, BASE_BRANCH, None, files, "base"))

    async def came_from(self, repository: str, commit: str) -> None:
        """Remembers the repository and the commit that the first files were taken from."""

        def work(ours: pygit2.Repository) -> None:
            ours.config[ORIGIN], ours.config[ORIGIN_COMMIT] = repository, commit

        await self._call(work)

    async def past(self) -> RepositoryPast | None:
        """The history of the repository that the files came from; None where they came from none."""

        def work(ours: pygit2.Repository) -> RepositoryPast | None:
            known = {name: ours.config[name] or "" for name in (ORIGIN, ORIGIN_COMMIT) if name in ours.config}
            return RepositoryPast(Path(known[ORIGIN]), known[ORIGIN_COMMIT]) if len(known) == 2 else None

        return await self._call(work)

    async def head(self, branch: str) -> str:
        """The branch's newest commit; KeyError when there is no such branch."""
        return await self._call(lambda repository: str(repository.branches.local[branch].target))

    async def branch(self, name: str, commit: str) -> None:
        """Makes a branch at a commit, or moves it there."""

        def work(repository: pygit2.Repository) -> None:
            repository.branches.local.create(name, repository[commit].peel(pygit2.Commit), force=True)

        await self._call(work)

    async def prepare(self, branch: str, change: TreeChange, message: str) -> Prepared:
        """Writes the objects of a snapshot, which nothing refers to until ``snapshot`` takes them."""
        return await self._call(lambda repository: _prepare(repository, branch, change, message))

    async def snapshot(
        self, branch: str, change: TreeChange, message: str, prepared: Prepared | None = None
    ) -> Snapshot:
        """Commits a change on a branch. A change that changes nothing gives the present commit, with no paths.

        What was ``prepared`` of the same change is taken, where the branch has not gone on since.
        """

        def work(repository: pygit2.Repository) -> Snapshot:
            reference = repository.references[f"refs/heads/{branch}"]
            ready = prepared
            if ready is None or ready.parent != str(reference.target):
                ready = _prepare(repository, branch, change, message)
            if ready.snapshot.commit != ready.parent:
                reference.set_target(ready.snapshot.commit)
            return ready.snapshot

        return await self._call(work)

    async def merge(self, into: str, branch: str) -> Merge:
        """Merges one branch into another; a conflict changes nothing and names its paths."""
        return await self._call(lambda repository: _merge(repository, into, branch))

    async def tree(self, commit: str) -> str:
        """The hash of a commit's tree."""
        return await self._call(lambda repository: str(repository[commit].peel(pygit2.Tree).id))

    async def files(self, commit: str) -> FileTree:
        """Every file and link of a commit."""
        return await self._call(lambda repository: read_tree(repository, repository[commit].peel(pygit2.Tree)))

    async def file(self, commit: str, path: str) -> File | None:
        """One file of a commit, or None."""
        return await self._call(lambda repository: file_at(repository, repository[commit].peel(pygit2.Tree), path))

    async def paths(self, old: str, new: str) -> tuple[str, ...]:
        """The paths in which two commits differ, sorted."""
        return await self._call(lambda repository: _paths(repository, old, new))

    async def patch(self, old: str, new: str) -> str:
        """The difference of two commits as a git patch that ``git apply`` takes, binary files included.

        Bytes that are no UTF-8 are escaped as surrogates: encode it with ``errors="surrogateescape"``.
        """

        def work(repository: pygit2.Repository) -> str:
            patches = repository.diff(old, new, flags=DiffOption.SHOW_BINARY)
            return b"".join(patch.data for patch in patches if patch is not None).decode("utf-8", "surrogateescape")

        return await self._call(work)

    async def changed_lines(self, old: str, new: str) -> dict[str, frozenset[int]]:
        """Path -> the numbers, from 1, of the lines in ``new`` that ``old`` does not have."""
        return await self._call(lambda repository: _changed_lines(repository, old, new))


class WorkspaceStore:
    """The workspaces below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, Workspace] = {}

    async def create(self, task_id: str) -> Workspace:
        """An empty workspace for a new task."""
        folder = self._path(task_id)

        def make() -> None:
            try:
                pygit2.init_repository(str(folder), bare=True)
            except (OSError, pygit2.GitError) as error:
                raise StorageUnavailable(
                    f"No workspace can be made in {folder} ({error}). Free disk space, or set SOUNDSTAGE_HOME."
                ) from error

        await asyncio.to_thread(make)
        return self.open(task_id)

    def open(self, task_id: str) -> Workspace:
        """The workspace of a task; UnknownTask when there is none."""
        folder = self._path(task_id)
        if not folder.is_dir():
            raise UnknownTask(f"There is no task {task_id!r}. List the tasks with: soundstage tasks list")
        return self._open.setdefault(task_id, Workspace(folder))

    async def discard(self, task_id: str) -> None:
        """Removes a workspace whose task was never submitted."""
        self._open.pop(task_id, None)
        await asyncio.to_thread(shutil.rmtree, self._path(task_id), ignore_errors=True)

    def _path(self, task_id: str) -> Path:
        if not task_id.replace("-", "").isalnum() or not task_id.isascii():
            raise UnknownTask(f"{task_id!r} is no task id. List the tasks with: soundstage tasks list")
        return self._folder / f"{task_id}.git"


def _commit(
    repository: pygit2.Repository, branch: str, parent: pygit2.Commit | None, files: FileTree, message: str
) -> Snapshot:
    tree = apply_change(repository, parent.tree if parent else None, TreeChange(written=files))
    parents = [parent.id] if parent else []
    commit = repository.create_commit(f"refs/heads/{branch}", author(), author(), message, tree, parents)
    return Snapshot(commit=str(commit), tree=str(tree), paths=tuple(sorted(files)))


def _prepare(repository: pygit2.Repository, branch: str, change: TreeChange, message: str) -> Prepared:
    head = repository.branches.local[branch].peel(pygit2.Commit)
    parent = str(head.id)
    tree = apply_change(repository, head.tree, change)
    if tree == head.tree.id:
        return Prepared(snapshot=Snapshot(commit=parent, tree=str(tree)), parent=parent)
    commit = str(repository.create_commit(None, author(), author(), message, tree, [head.id]))
    snapshot = Snapshot(commit=commit, tree=str(tree), paths=_paths(repository, parent, commit))
    return Prepared(snapshot=snapshot, parent=parent)


def _paths(repository: pygit2.Repository, old: str, new: str) -> tuple[str, ...]:
    diff = repository.diff(old, new)
    names = (name for delta in diff.deltas for name in (delta.old_file.path, delta.new_file.path))
    return tuple(sorted(set(names)))


def _merge(repository: pygit2.Repository, into: str, branch: str) -> Merge:
    ours = repository.branches.local[into].peel(pygit2.Commit)
    theirs = repository.branches.local[branch].peel(pygit2.Commit)
    base = repository.merge_base(ours.id, theirs.id)
    if base == theirs.id:
        return Merge(commit=str(ours.id))
    if base == ours.id:
        repository.branches.local.create(into, theirs, force=True)
        return Merge(commit=str(theirs.id))
    index = repository.merge_commits(ours, theirs)
    if index.conflicts:
        sides = (side for conflict in index.conflicts for side in conflict if side is not None)
        return Merge(commit=str(ours.id), conflicts=tuple(sorted({side.path for side in sides})))
    tree = index.write_tree(repository)
    message = f"merge {branch}"
    commit = repository.create_commit(f"refs/heads/{into}", author(), author(), message, tree, [ours.id, theirs.id])
    return Merge(commit=str(commit))


def _changed_lines(repository: pygit2.Repository, old: str, new: str) -> dict[str, frozenset[int]]:
    lines: dict[str, frozenset[int]] = {}
    for patch in repository.diff(old, new, context_lines=0):
        if patch is None or patch.delta.is_binary:
            continue
        added = (line.new_lineno for hunk in patch.hunks for line in hunk.lines if line.origin == "+")
        lines[patch.delta.new_file.path] = frozenset(added)
    return lines
