"""The clean runs of one task, with what is put back before each of them."""

from director.equipment import Equipment
from director.evidence.clean_room import Run, run_clean
from domain.files import FileTree
from domain.journal import Journal
from domain.task import TaskSpec
from domain.workspace import Workspace


class CleanRuns:
    """``taken`` are protected files with the commits at which they are as they must be, ``examples`` the tests that
    were made of the request."""

    def __init__(self, equipment: Equipment, spec: TaskSpec, workspace: Workspace, journal: Journal) -> None:
        self._equipment = equipment
        self._spec = spec
        self._workspace = workspace
        self._journal = journal
        self.language = "python"
        self.taken = dict.fromkeys(spec.protected_paths, spec.base_commit)
        self.examples: FileTree = {}

    async def kept(self) -> FileTree:
        """The protected files as they were when they were taken on."""
        found = {path: await self._workspace.file(commit, path) for path, commit in self.taken.items()}
        return self.examples | {path: file for path, file in found.items() if file is not None}

    async def run(
        self,
        key: str,
        commit: str,
        command: str | None = None,
        delivered: bool = False,
        former: FileTree | None = None,
    ) -> Run:
        """Runs all tests, or a command, journalled under ``key``, which is unique.

        What steers tests, and the ``former`` files, are as before the work; the tree is as it is where it is run as
        ``delivered``.
        """
        return await self._journal.child("verify").step(key, Run, lambda: self._ran(commit, command, delivered, former))

    async def _ran(self, commit: str, command: str | None, delivered: bool, former: FileTree | None) -> Run:
        return await run_clean(
            self._equipment.sandboxes,
            self._workspace,
            self._spec,
            commit,
            test_command=command,
            before=None if delivered else self._spec.base_commit,
            language=self.language,
            kept={} if delivered else await self.kept() | (former or {}),
        )
