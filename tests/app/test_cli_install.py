"""``soundstage run --install`` by the command line: scripted model, real containers, wheels of the test's own."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.conftest import Cli
from tests.sandbox.dependencies.trees import wheel

pytestmark = pytest.mark.usefixtures("docker_engine")

DEMO = ("run", "Create a fibonacci function with tests", "--model", "scripted")
IMPORTS = "cd /opt/deps/python && python3 -c 'import tiny; print(tiny.WORD)' | grep sesame"


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """A folder with one wheel that nobody has installed before: its content is the test's own folder."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    wheel(folder, "tiny", {"tiny.py": f"WORD = 'sesame {tmp_path}'\n"})
    return folder


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository that asks for it."""
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "requirements.txt").write_text("tiny\n")
    git = ("git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@example.invalid")
    for words in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "x")):
        subprocess.run([*git, *words], check=True)
    return folder


@pytest.fixture
def made() -> Iterator[list[str]]:
    """Images that are removed after the test."""
    tags: list[str] = []
    yield tags
    for tag in tags:
        subprocess.run(["docker", "image", "rm", "-f", tag], check=True, capture_output=True)


def test_the_clean_room_has_what_was_installed(cli: Cli, wheels: Path, repo: Path, made: list[str]) -> None:
    options = ("--repo", str(repo), "--install", "--wheels", str(wheels), "--test-command", IMPORTS)

    done = cli(*DEMO, "--json", *options)
    facts = [json.loads(line)["fact"] for line in done.stdout.splitlines()]
    (installed,) = [fact for fact in facts if fact["type"] == "dependencies_installed"]
    made.append(installed["image"])
    again = cli(*DEMO, *options)

    looks = [fact["evidence"] for fact in facts if fact["type"] == "verification_finished"]
    commands = [look for look in looks if look["kind"] == "command"]
    assert commands, done.stderr
    assert all(look["passed"] for look in commands)
    assert not installed["cached"]
    assert installed["reached"] == installed["refused"] == []
    assert "dependencies were installed before" in again.stdout


def test_wheels_alone_or_from_nowhere_are_wrong_usage(cli: Cli, wheels: Path, tmp_path: Path) -> None:
    alone = cli(*DEMO, "--wheels", str(wheels))
    nowhere = cli(*DEMO, "--install", "--wheels", str(tmp_path / "nowhere"))

    assert (alone.returncode, nowhere.returncode) == (2, 2)
    assert "--install" in alone.stderr
    assert "--wheels" in nowhere.stderr
