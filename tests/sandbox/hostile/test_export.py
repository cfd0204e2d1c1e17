"""Trees that attack on their way out: through the fetch, into the storage's workspace, and into a person's folder."""

import os
import stat
from pathlib import Path

import pytest

from domain.errors import HostileOutput, OutputRefused, SandboxLost, TransferFailed
from domain.files import File, FileTree, TreeChange
from domain.workspace import BASE_BRANCH
from sandbox.vetting import VettingLimits, extract
from storage.export import export
from storage.workspace import WorkspaceStore
from tests.sandbox.hostile.arena import arena, record
from tests.sandbox.hostile.case import PROGRAMS, Case, Category
from tests.sandbox.hostile.cases import EXPORT_CASES, HEAVY_CASES
from tests.storage.git_program import git, repository

GOOD = "good.txt"
AGAIN = {f"again{number}" for number in range(20)}
REPOSITORY = {f"bare.git/{name}" for name in (
    "HEAD", "config", "objects/x", "refs/heads/main", "hooks/post-checkout", "hooks/pre-commit",
    "hooks/fsmonitor-watchman",
)}  # fmt: skip
ALLOWED = {
    "export_links": {GOOD},
    "export_hard_links": {GOOD, *AGAIN},
    "export_special_files": {GOOD},
    "export_version_control": {GOOD, ".gitmodules", ".gitattributes", "file-of-git", *REPOSITORY},
    "export_archive_bomb": {GOOD, "bomb.zip", "bomb.tar", "bomb.zlib"},
    "export_deep_folders": {GOOD},
    "export_swapping": {GOOD},
    "export_closed_files": {GOOD, "closed/setuid", "closed/sticky", "closed/none"},
    "export_forged_archive": {GOOD, "link/passwd"},
}
"""Exactly what leaves. Of the odd names, those leave that are plain to every file system."""


@pytest.fixture(autouse=True)
def _engine(docker_engine: None) -> None:
    """All of them need one."""


@pytest.mark.parametrize("case", EXPORT_CASES, ids=lambda case: case.id)
async def test_a_hostile_tree_leaves_as_plain_files_or_not_at_all(case: Case, isolation: str, tmp_path: Path) -> None:
    async with arena(tmp_path, isolation) as there:
        async with there.lease() as sandbox:
            result = await there.attack(sandbox, case)
            if case.id == "export_forged_archive":
                written, refused = extract(result.stdout, VettingLimits())
                assert len(refused) == 10, refused
            else:
                written = without_programs((await sandbox.fetch()).change.written)
            await there.goes_on(sandbox)
        assert GOOD in written
        assert set(written) - {"swapped"} == ALLOWED.get(case.id, set(written))
        await land(written, tmp_path)
    record(case, isolation, result.verdict)


@pytest.mark.parametrize("case", HEAVY_CASES, ids=lambda case: case.id)
async def test_a_tree_too_large_to_leave_is_a_typed_error(case: Case, isolation: str, tmp_path: Path) -> None:
    async with arena(tmp_path, isolation) as there, there.lease() as sandbox:
        result = await there.attack(sandbox, case)
        errors: tuple[type[Exception], ...] = (HostileOutput, TransferFailed)
        if not case.at(isolation).survives:
            errors += (SandboxLost,)
        with pytest.raises(errors):
            await sandbox.fetch()
        if case.category is Category.CHANNEL:
            with pytest.raises(errors):
                await sandbox.fetch()
        if case.at(isolation).survives:
            await there.goes_on(sandbox)
    record(case, isolation, result.verdict)


def without_programs(files: FileTree) -> FileTree:
    """The files that the attack made."""
    brought = {path.name for path in PROGRAMS.iterdir()}
    return {path: file for path, file in files.items() if path not in brought}


def marks(folder: Path) -> list[Path]:
    """What a hook would have left."""
    return [*Path("/tmp").glob("owned-by-*"), *folder.glob("owned-by-*")]


async def land(written: FileTree, folder: Path) -> None:
    """Brings the files where results go, and uses git there as a person would: nothing of theirs is run."""
    workspace = await WorkspaceStore(folder / "store").create("task")
    await workspace.start({"bystander.txt": File(content=b"x")})
    snapshot = await workspace.snapshot(BASE_BRANCH, TreeChange(written=written), "m")
    files = await workspace.files(snapshot.commit)
    assert set(files) == {*written, "bystander.txt"}
    out = folder / "out"
    repository(out, {"mine.txt": File(content=b"mine")})
    if set(files) >= REPOSITORY:
        with pytest.raises(OutputRefused, match=r"a git repository \(bare.git\)"):
            await export(files, out)
        files = {path: file for path, file in files.items() if path not in REPOSITORY}
    await export(files, out)
    for place, folders, names in os.walk(out):
        assert ".git" not in folders or Path(place) == out
        folders[:] = [name for name in folders if name != ".git"]
        for name in names:
            seen = (Path(place) / name).lstat()
            assert stat.S_ISREG(seen.st_mode)
            assert seen.st_mode & 0o7022 == 0
            assert seen.st_nlink == 1
        git(Path(place), "status")
        git(Path(place), "log")
    assert not marks(folder)
