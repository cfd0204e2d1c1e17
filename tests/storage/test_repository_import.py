import os
import shutil
from pathlib import Path

import pytest

from domain.errors import InvalidRepository
from domain.files import File, FileTree
from storage import repository_import
from storage.repository_import import read_repository
from storage.workspace import WorkspaceStore
from tests.storage.git_program import commit, git, repository, write

FILES: FileTree = {
    "README": File(content=b"hello\n"),
    "src/a b.py": File(content=b"print()\n"),
    "src/n\u00e4me.py": File(),
    "bin/run": File(content=b"#!/bin/sh\n", executable=True),
    "data.bin": File(content=b"\x00\xff"),
    "src/link": File(link="../README"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder, in which each test makes the repository that it needs."""
    (tmp_path / "repo").mkdir()
    return tmp_path / "repo"


async def test_the_files_of_the_newest_commit_are_read_with_modes_and_links(folder: Path) -> None:
    repository(folder, {"old": File()})
    git(folder, "rm", "--quiet", "old")
    write(folder, FILES)
    newest = commit(folder)

    imported = await read_repository(folder)

    assert (imported.files, imported.commit, imported.uncommitted) == (FILES, newest, ())


@pytest.mark.parametrize("how", ["bare", "detached", "worktree", "linked folder"])
async def test_a_repository_is_read_whatever_its_form(tmp_path: Path, folder: Path, how: str) -> None:
    newest = repository(folder, FILES)
    place = tmp_path / "other"
    match how:
        case "bare":
            git(folder, "clone", "--quiet", "--bare", ".", str(place))
        case "detached":
            git(folder, "checkout", "--quiet", "--detach")
            place = folder
        case "worktree":
            git(folder, "worktree", "add", "--quiet", "-b", "side", str(place))
        case _:
            place.symlink_to(folder)

    imported = await read_repository(place)

    assert (imported.files, imported.commit) == (FILES, newest)


async def test_what_is_not_committed_is_named_and_not_read(folder: Path) -> None:
    repository(folder, {"same": File(), "changed": File(content=b"1"), "gone": File(), "staged": File()})
    (folder / "changed").write_text("2")
    (folder / "gone").unlink()
    (folder / "staged").write_text("3")
    (folder / "new").write_text("not yet known to git")
    git(folder, "add", "staged")

    imported = await read_repository(folder)

    assert imported.uncommitted == ("changed", "gone", "staged")
    assert imported.files["changed"] == File(content=b"1")
    assert "new" not in imported.files


async def test_a_folder_that_is_no_repository_is_refused_with_what_to_do(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "file").write_text("")

    for place, complaint in {
        folder: "is no git repository. Make it one",
        tmp_path / "file": "is a file",
        tmp_path / "nowhere": "does not exist",
    }.items():
        with pytest.raises(InvalidRepository, match=complaint):
            await read_repository(place)


async def test_a_repository_without_a_commit_is_refused(folder: Path) -> None:
    git(folder, "init", "--quiet")

    with pytest.raises(InvalidRepository, match="no commit yet"):
        await read_repository(folder)


@pytest.mark.parametrize("inside", ["src", ".git"])
async def test_a_folder_inside_a_repository_is_refused_and_the_repository_is_named(folder: Path, inside: str) -> None:
    repository(folder, FILES)

    with pytest.raises(InvalidRepository, match=rf"is inside the repository .*repo/?\. Point --repo at {folder}"):
        await read_repository(folder / inside)


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside", "src/../../outside", ".git/config", b"caf\xe9"])
async def test_a_link_that_leads_out_or_is_no_text_is_refused_by_its_name(folder: Path, target: str | bytes) -> None:
    os.symlink(target, os.fsencode(folder / "away"))
    repository(folder, {"README": File()})

    with pytest.raises(InvalidRepository, match="'away'"):
        await read_repository(folder)


async def test_a_name_that_is_no_utf_8_is_refused(folder: Path) -> None:
    (folder / os.fsdecode(b"caf\xe9")).write_text("")
    repository(folder, {"README": File()})

    with pytest.raises(InvalidRepository, match="A path of the repository cannot be used"):
        await read_repository(folder)


async def test_a_submodule_is_left_out(tmp_path: Path, folder: Path) -> None:
    repository(tmp_path / "inner", {"x": File()})
    repository(folder, {"README": File()})
    git(folder, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(tmp_path / "inner"), "inner")
    commit(folder)

    assert sorted((await read_repository(folder)).files) == [".gitmodules", "README"]


@pytest.mark.parametrize(
    ("constant", "value", "fits"), [("MAX_FILES", len(FILES), len(FILES)), ("MAX_BYTES", 40, len(FILES))]
)
async def test_a_repository_may_reach_the_limits_and_not_pass_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch, constant: str, value: int, fits: int
) -> None:
    repository(folder, FILES)
    monkeypatch.setattr(repository_import, constant, value)
    assert len((await read_repository(folder)).files) == fits

    write(folder, {"one/more": File(content=b"x" * 20)})
    commit(folder)
    with pytest.raises(InvalidRepository, match="too large"):
        await read_repository(folder)


@pytest.mark.parametrize("damage", ["objects", "HEAD", "config"])
async def test_a_damaged_repository_is_refused_and_not_a_crash(folder: Path, damage: str) -> None:
    repository(folder, FILES)
    match damage:
        case "objects":
            shutil.rmtree(folder / ".git" / "objects")
            (folder / ".git" / "objects").mkdir()
        case "HEAD":
            (folder / ".git" / "HEAD").write_text("not a reference\n")
        case _:
            (folder / ".git" / "config").write_text("[not a config\n")

    with pytest.raises(InvalidRepository):
        await read_repository(folder)


async def test_nothing_that_a_repository_configures_is_run(tmp_path: Path, folder: Path) -> None:
    repository(folder, {".gitattributes": File(content=b"* filter=evil\n"), "a": File(content=b"1\n")})
    trap = tmp_path / "trap"
    for name in ("core.fsmonitor", "filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "core.sshCommand"):
        git(folder, "config", name, f"touch {trap}")
    (folder / "a").write_text("2\n")

    assert (await read_repository(folder)).uncommitted == ("a",)
    assert not trap.exists()


async def test_what_was_imported_makes_the_same_tree_in_a_workspace(folder: Path, workspaces: WorkspaceStore) -> None:
    repository(folder, FILES)
    workspace = await workspaces.create("t1")

    base = await workspace.start((await read_repository(folder)).files)

    assert base.tree == git(folder, "rev-parse", "HEAD^{tree}")
