"""What the work did to the files by which it is judged."""

from director.evidence.steering import restored
from director.evidence.test_paths import holds_tests
from domain.files import FileTree
from domain.workspace import Workspace


async def altered(workspace: Workspace, commit: str, kept: FileTree) -> list[str]:
    """The protected files that are not as they were, though the clean room ran them as they were."""
    return [path for path in sorted(kept) if await workspace.file(commit, path) != kept[path]]


async def steering(workspace: Workspace, before: str, commit: str) -> list[str]:
    """The files that steer tests and that the work made or changed."""
    files = await workspace.files(commit)
    run = restored(files, await workspace.files(before))
    return sorted(path for path in files.keys() | run.keys() if files.get(path) != run.get(path))


async def former_tests(workspace: Workspace, before: str, base: str, commit: str) -> FileTree:
    """The tests that the work changed between two commits, as they were before it."""
    there = await workspace.files(before)
    return {path: there[path] for path in await workspace.paths(base, commit) if holds_tests(path) and path in there}
