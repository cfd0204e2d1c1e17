"""Tests of app/inputs.py."""

import subprocess
from pathlib import Path

import pytest

from app.inputs import read_inputs
from domain.errors import UsageError


async def test_a_test_file_goes_below_tests(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text("def test_a(): pass\n")
    inputs = await read_inputs(None, [tmp_path / "test_a.py"])
    assert list(inputs.files) == ["tests/test_a.py"]
    assert inputs.tests == ("tests/test_a.py",)


async def test_a_folder_of_tests_keeps_its_shape_without_caches_and_links(tmp_path: Path) -> None:
    folder = tmp_path / "checks"
    (folder / "deep").mkdir(parents=True)
    (folder / "__pycache__").mkdir()
    for name in ("test_a.py", "deep/test_b.py", "data.json", "__pycache__/x.pyc", ".hidden"):
        (folder / name).write_text("x")
    (folder / "link.py").symlink_to("/etc/hostname")
    inputs = await read_inputs(None, [folder])
    assert sorted(inputs.files) == ["checks/data.json", "checks/deep/test_b.py", "checks/test_a.py"]


@pytest.fixture
def _repository(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "test_x.py").write_text("old")
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.invalid")
    for arguments in (("init", "-q"), ("add", "."), (*identity, "commit", "-qm", "first")):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    (tmp_path / "app" / "test_x.py").write_text("new")


@pytest.mark.usefixtures("_repository")
async def test_tests_of_the_repository_stay_where_they_are(tmp_path: Path) -> None:
    inputs = await read_inputs(tmp_path, [tmp_path / "app" / "test_x.py"])
    assert inputs.tests == ("app/test_x.py",)
    assert inputs.files["app/test_x.py"].content == b"new"
    assert "1 files have changes" in inputs.notes[0]


async def test_a_folder_without_tests_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(UsageError, match="holds no test"):
        await read_inputs(None, [tmp_path])
