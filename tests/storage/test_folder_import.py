"""A person's folder on its way into a sandbox."""

import os
from pathlib import Path

import pytest

from domain.errors import UsageError
from domain.files import File
from storage import folder_import
from storage.folder_import import read_folder
from tests.storage.git_program import write


async def test_files_links_and_modes_are_taken_and_caches_are_left(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    files = {
        "README": File(content=b"hello\n"),
        "bin/run": File(content=b"#!/bin/sh\n", executable=True),
        "lib/a.py": File(content=b"\x00\xff"),
        "link": File(link="lib/a.py"),
        "folder": File(link="lib"),
    }
    write(tmp_path, files | {".git/config": File(content=b"x"), "lib/__pycache__/a.pyc": File(content=b"x")})

    assert await read_folder(tmp_path) == files


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside", "lib/../../outside"])
async def test_a_link_that_leads_out_is_refused_by_name(tmp_path: Path, target: str) -> None:
    (tmp_path / "link").symlink_to(target)

    with pytest.raises(UsageError, match=r"link.*leads out"):
        await read_folder(tmp_path)


async def test_what_is_no_file_or_too_much_or_not_there_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="--files"):
        await read_folder(tmp_path / "missing")

    monkeypatch.setattr(folder_import, "MAX_FILES", 2)
    for name in "abc":
        (tmp_path / name).write_text(name)
    with pytest.raises(UsageError, match="more than 2 files"):
        await read_folder(tmp_path)

    for name in "abc":
        (tmp_path / name).unlink()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="no regular file"):
        await read_folder(tmp_path)
