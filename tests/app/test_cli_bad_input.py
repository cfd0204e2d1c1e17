"""Wrong usage: a message with the remedy, the right exit code, and nothing written."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.conftest import Cli

WRONG: list[tuple[tuple[str, ...], str]] = [
    (("run", ""), "prompt is empty"),
    (("run", " \n "), "prompt is empty"),
    (("run", "fibonacci", "--repo", "nowhere"), "does not exist"),
    (("run", "fibonacci", "--repo", "file.txt"), "is a file"),
    (("run", "fibonacci", "--repo", "plain"), "no git repository"),
    (("run", "fibonacci", "--repo", "empty"), "no commit yet"),
    (("run", "fibonacci", "--out", "plain"), "not empty"),
    (("run", "fibonacci", "--out", "file.txt"), "not a folder"),
    (("run", "fibonacci", "--out", "/proc/nope"), "cannot be used"),
    (("run", "fibonacci", "--patch", "nowhere/x.diff"), "cannot be written"),
    (("run", "fibonacci", "--tests", "nowhere"), "does not exist"),
    (("run", "fibonacci", "--tests", "file.txt"), "holds no test"),
    (("run", "fibonacci", "--test-command", " "), "--test-command is empty"),
    (("run", "fibonacci", "--budget-usd", "0"), "lets no model call happen"),
    (("run", "fibonacci", "--budget-usd", "-1"), "lets no model call happen"),
    (("run", "fibonacci", "--budget-usd", "much"), "is none"),
    (("run", "fibonacci", "--budget-usd", "nan"), "is none"),
    (("run", "fibonacci", "--max-steps", "0"), "1 to 10000"),
    (("run", "fibonacci", "--max-steps", "99999"), "1 to 10000"),
    (("run", "fibonacci", "--model", "gpt-nope"), "needs a provider"),
    (("run", "sort a list of names"), "knows only the demo"),
    (("run", "fibonacci", "--approve", "always"), "asks on the terminal, and there is none"),
    (("run", "fibonacci", "--approve", "destructive", "--json"), "asks on the terminal, and there is none"),
    (("run", "fibonacci", "--approve", "never"), "--approve"),
    (("audit", "--task", "nope"), "no task"),
    (("tasks", "show", "nope"), "no task"),
    (("tasks", "patch", ""), "no task"),
    (("images", "build", "--ca-bundle", "nowhere"), "is no file"),
]


@pytest.fixture
def _folders(tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("x")
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "file.txt").write_text("x")
    subprocess.run(["git", "init", "-q", str(tmp_path / "empty")], check=True)


@pytest.mark.usefixtures("_folders")
@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=lambda value: " ".join(value)[:40])
def test_wrong_usage_is_said_with_the_remedy(cli: Cli, arguments: tuple[str, ...], message: str) -> None:
    done = cli(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert done.stdout == ""


@pytest.mark.usefixtures("_folders")
def test_wrong_usage_writes_nothing(cli: Cli, home: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    assert cli("run", "fibonacci", "--out", "result", "--budget-usd", "0").returncode == 2
    assert sorted(tmp_path.iterdir()) == before
    assert not home.exists()


def test_a_prompt_of_a_megabyte_is_refused(cli: Cli) -> None:
    done = cli("run", "-", stdin="fibonacci " * 100_000)
    assert done.returncode == 2
    assert "longer than 256 KiB" in done.stderr


def test_a_prompt_with_bytes_that_are_no_text_is_refused_or_read_without_a_traceback(cli: Cli) -> None:
    done = cli("run", "sort \udcff\x1b[31m these")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr


def test_an_address_that_is_none_is_said(cli: Cli) -> None:
    done = cli("run", "fibonacci", OLLAMA_HOST="127.0.0.1:bad")
    assert done.returncode == 2
    assert "OLLAMA_HOST" in done.stderr


def test_a_missing_engine_is_infrastructure(cli: Cli, home: Path) -> None:
    done = cli("run", "fibonacci", "--model", "scripted", DOCKER_HOST="unix:///nowhere/docker.sock")
    assert done.returncode == 3
    assert "Docker engine does not answer" in done.stderr
    assert "make engine" in done.stderr
    assert not (home / "workspaces").exists()


def test_an_unreachable_model_server_is_infrastructure(cli: Cli) -> None:
    done = cli("run", "fibonacci", OPENAI_BASE_URL="http://127.0.0.1:9/v1", OPENAI_API_KEY="sk-fake")
    assert done.returncode == 3
    assert "No connection to http://127.0.0.1:9/v1" in done.stderr
    assert "sk-fake" not in done.stderr


def test_a_home_that_cannot_be_written_is_infrastructure(cli: Cli) -> None:
    done = cli("tasks", "list", SOUNDSTAGE_HOME="/dev/null/home")
    assert done.returncode == 3
    assert "SOUNDSTAGE_HOME" in done.stderr


def test_help_names_every_command_and_needs_no_engine(cli: Cli) -> None:
    done = cli("--help", DOCKER_HOST="unix:///nowhere/docker.sock")
    assert done.returncode == 0
    for command in ("run", "tasks", "images", "models", "costs", "doctor"):
        assert command in done.stdout


@pytest.mark.parametrize(
    ("modules", "needless"),
    [
        ("cli", "docker openai mcp sqlmodel sqlalchemy pygit2 pydantic rich genai_prices"),
        ("commands.keys, app.commands.tasks, app.commands.costs", "director mcp docker openai pygit2 genai_prices"),
        ("commands.containers, app.commands.sandbox_exec", "director mcp sqlalchemy openai genai_prices"),
        ("commands.doctor, app.commands.run", "director mcp openai genai_prices"),
    ],
    ids=["help", "what reads the store", "sandboxes", "what checks before it works"],
)
def test_a_command_loads_nothing_that_it_does_not_need(modules: str, needless: str) -> None:
    code = f"import sys, app.{modules}; print(sorted(set({needless.split()}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_password_of_a_package_index_gets_into_no_image(cli: Cli) -> None:
    done = cli("images", "build", "python", PIP_INDEX_URL="https://me:fake-password@packages.example/simple")

    assert done.returncode == 2
    assert "PIP_INDEX_URL names https://packages.example/simple" in done.stderr
    assert "fake-password" not in done.stdout + done.stderr
