"""A specialist's working place: its sandbox, its branch, and the rules that hold there."""

import asyncio
from pathlib import PurePosixPath

from domain.errors import HostileOutput, InfrastructureError
from domain.files import File, FileTree, TreeChange
from domain.past import Past
from domain.text import one_line
from domain.workspace import BASE_BRANCH, Prepared, Workspace
from mcp_server.answers import Answers
from mcp_server.caller import Caller
from mcp_server.colleagues import Colleagues
from mcp_server.edit_ladder import EditLadder
from mcp_server.protection import Protection
from mcp_server.tool import ToolRefused
from sandbox.base import Sandbox


class ToolSession:
    """Keeps three views of the files in step: ``tree`` here, the sandbox's workspace, and the branch.

    Every change becomes a snapshot on the branch. A change that the protection does not allow is undone in the
    sandbox before it can become one, whichever tool made it. ``failure`` is an infrastructure error that a tool met:
    the work cannot go on. ``colleagues`` is None where it works alone.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        workspace: Workspace,
        branch: str,
        caller: Caller,
        protection: Protection,
        colleagues: Colleagues | None = None,
    ) -> None:
        self.sandbox = sandbox
        self.caller = caller
        self.protection = protection
        self.colleagues = colleagues
        self.tree: FileTree = {}
        self.commit = ""
        self.tree_hash = ""
        self.failure: InfrastructureError | None = None
        self.changed: list[str] = []
        self.dropped: list[str] = []
        self.refused: list[str] = []
        self.answers = Answers()
        self.edits = EditLadder()
        self._workspace = workspace
        self._branch = branch

    async def keep(self, text: str) -> str | None:
        """Keeps an answer for ``read_artifact``."""
        return self.answers.keep(text)

    async def open(self) -> None:
        """Brings the branch's files into the sandbox."""
        await self._take(await self._workspace.head(self._branch))

    async def roll_back(self, commit: str) -> tuple[str, ...]:
        """Goes back to a snapshot, here, in the sandbox and on the branch; returns the paths that are other now.

        What was undone stays in the workspace under its commit.
        """
        undone = await self._workspace.paths(commit, self.commit)
        await self._workspace.branch(self._branch, commit)
        await self._take(commit)
        self.edits = EditLadder()
        return undone

    async def _take(self, commit: str) -> None:
        self.commit, self.tree_hash = commit, await self._workspace.tree(commit)
        self.tree = await self._workspace.files(commit)
        await self.sandbox.put(TreeChange(written=self.tree), clear=True)

    def file(self, path: str) -> File:
        """The regular file at a path; ToolRefused with what is near when there is none."""
        found = self.tree.get(path)
        if found is None or found.link is not None:
            raise ToolRefused(f"There is no file {one_line(path)}. {self.near(path)}")
        return found

    def near(self, path: str) -> str:
        """A listing of the files of that name, or else of some files."""
        name = path.rsplit("/", 1)[-1]
        near = [other for other in sorted(self.tree) if other.rsplit("/", 1)[-1] == name]
        return "Files: " + (", ".join((near or sorted(self.tree))[:20]) or "none yet")

    def allows(self, path: str) -> bool:
        """Whether the role may write a path: it is not protected, and takes no protected file's place."""
        if not self.protection.allows(path):
            return False
        below = [other for other in self.tree if other.startswith(f"{path}/")]
        above = [str(folder) for folder in PurePosixPath(path).parents if str(folder) in self.tree]
        return all(map(self.protection.allows, (*below, *above)))

    async def write(self, path: str, content: bytes) -> None:
        """Writes a file here, in the sandbox and on the branch; ToolRefused when the role may not."""
        if not self.allows(path):
            allowed = f" You may write: {', '.join(self.protection.writable)}." if self.protection.writable else ""
            raise ToolRefused(f"{path} is protected and stays as it is. Change other files instead.{allowed}")
        self._check_place(path)
        known = self.tree.get(path)
        change = TreeChange(written={path: File(content=content, executable=bool(known and known.executable))})
        why = one_line(f"write {path}")
        # The branch goes on only when the sandbox has the file; what can be made ready until then is.
        _, prepared = await asyncio.gather(self.sandbox.put(change), self._workspace.prepare(self._branch, change, why))
        await self._record(change, why, prepared)
        self.edits.changed(path)

    def _check_place(self, path: str) -> None:
        """ToolRefused when a file at the path would take another's place, or never leave the sandbox."""
        parts = path.split("/")
        if ignored := next((part for part in parts if part in self.sandbox.ignored), None):
            raise ToolRefused(f"Nothing below {ignored} is kept. Write {path} elsewhere, or make it with a command.")
        if any(other.startswith(f"{path}/") for other in self.tree):
            raise ToolRefused(f"{path} is a folder. Name the file in it, or remove the folder with a command first.")
        above = ("/".join(parts[:depth]) for depth in range(1, len(parts)))
        if file := next((other for other in above if other in self.tree), None):
            raise ToolRefused(
                f"{file} is a file, not a folder. Choose another path, or remove it with a command first."
            )

    async def changed_lines(self) -> dict[str, frozenset[int]]:
        """Path -> the numbers, from 1, of the lines that the task's first snapshot does not have."""
        return await self._workspace.changed_lines(await self._workspace.head(BASE_BRANCH), self.commit)

    async def past(self) -> Past | None:
        """The history of the repository that the files came from, or None."""
        return await self._workspace.past()

    async def sync(self, why: str, closely: bool = False) -> str:
        """Takes over what a command changed in the sandbox; returns a note for the model on what was not taken.

        What was written through a shared mapping is found when it looks ``closely``, at the content of every file.
        HostileOutput when it was too much: then the sandbox has the files of the last snapshot again.
        """
        try:
            fetched = await self.sandbox.fetch(closely)
        except HostileOutput:
            await self.sandbox.put(TreeChange(written=self.tree), clear=True)
            raise
        change = _real(fetched.change, self.tree)
        forbidden = frozenset(path for path in change.paths() if not self.allows(path))
        replaced = frozenset(path for path in fetched.refused if path in self.tree) - change.paths()
        await self._undo(forbidden | replaced)
        self.dropped += sorted(forbidden | {path for path in replaced if not self.protection.allows(path)})
        await self._record(change.without(forbidden), why)
        self.refused += fetched.refused
        notes = []
        if forbidden:
            notes.append(f"Undone, because these files are protected: {', '.join(sorted(forbidden)[:10])}")
        if fetched.refused:
            notes.append(f"Not kept (links, special or oversized files): {', '.join(fetched.refused[:10])}")
        return "\n".join(notes)

    async def _undo(self, paths: frozenset[str]) -> None:
        if paths:
            originals = {path: self.tree[path] for path in paths if path in self.tree}
            await self.sandbox.put(TreeChange(written=originals, deleted=paths - frozenset(originals)))

    async def _record(self, change: TreeChange, why: str, prepared: Prepared | None = None) -> None:
        if not change:
            return
        snapshot = await self._workspace.snapshot(self._branch, change, one_line(why), prepared)
        self.commit, self.tree_hash = snapshot.commit, snapshot.tree
        self.changed += snapshot.paths
        for path in change.deleted:
            self.tree.pop(path, None)
        if any(path not in change.written and path not in change.deleted for path in snapshot.paths):
            # A file became a folder or the other way round: git's view is the whole one.
            self.tree = await self._workspace.files(snapshot.commit)
        else:
            self.tree.update(change.written)


def _real(change: TreeChange, tree: FileTree) -> TreeChange:
    """The change less what is already so."""
    same = frozenset(path for path, file in change.written.items() if tree.get(path) == file)
    unknown = frozenset(path for path in change.deleted if path not in tree)
    return change.without(same | unknown)
