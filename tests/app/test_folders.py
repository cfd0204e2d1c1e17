"""Folders of this machine that a task may start from."""

import subprocess
from pathlib import Path

import pytest

from app.folders import RepositoryFolders
from domain.errors import InvalidRepository


def repository(folder: Path) -> Path:
    """A repository with one commit, and a change that is not in it."""
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("1\n")
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.invalid")
    for arguments in (("init", "-q"), ("add", "."), (*identity, "commit", "-qm", "first")):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    (folder / "a.txt").write_text("2\n")
    return folder


async def test_the_newest_commit_is_read_and_what_is_not_in_it_is_said(tmp_path: Path) -> None:
    imported = await RepositoryFolders().read(str(repository(tmp_path / "here")))
    assert {path: file.content for path, file in imported.files.items()} == {"a.txt": b"1\n"}
    assert imported.notes == ("1 files have changes that are not committed (a.txt): left out",)


async def test_below_a_root_nothing_else_is_read(tmp_path: Path) -> None:
    root = tmp_path / "root"
    inside, outside = repository(root / "in" / "side"), repository(tmp_path / "outside")
    (root / "link").symlink_to(outside)
    (root / "loop").symlink_to(root / "loop")
    (root / "tree").mkdir()
    (root / "tree" / ".git").write_text(f"gitdir: {outside / '.git'}\n")
    folders = RepositoryFolders(root)
    assert "a.txt" in (await folders.read(str(inside))).files
    assert "a.txt" in (await folders.read(f"{root}/in/../in/side")).files
    around = root / "link" / ".." / "root" / ".." / "outside"
    elsewhere = [around, outside, tmp_path / "nothing", root / "link", root / ".." / "outside", "/", f"{root}x"]
    said = set()
    for folder in elsewhere:
        with pytest.raises(InvalidRepository) as error:
            await folders.read(str(folder))
        said.add(str(error.value))
    assert said == {f"Folders are read below {root} only. Give one of those, or files."}
    for folder, message in (
        (root / "tree", "does not lie below"),
        (root / "loop", "no folder"),
        (root, "no git repository"),
        (root / "in", "no git repository"),
        (root / "nothing", "does not exist"),
        (inside / "a.txt", "is a file"),
    ):
        with pytest.raises(InvalidRepository, match=message):
            await folders.read(str(folder))


@pytest.mark.parametrize("folder", ["", ".", "here", "~", "a\0b", "/" + "a" * 5000, "/a\0b"], ids=ascii)
async def test_what_is_no_full_path_is_refused(folder: str) -> None:
    with pytest.raises(InvalidRepository):
        await RepositoryFolders().read(folder)
