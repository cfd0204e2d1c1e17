"""Every command that the README and the docs show runs as it stands there."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.app.warm_soundstage import SOUNDSTAGE, WarmSoundstage
from tests.wire.openai_dialect import OpenAI
from tests.wire.replies import Reply, Say
from tests.wire.server import served

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "bench" / "README.md"])
PROMPT = re.compile(r"^\$ (.+?)(?:\s{2,}#.*)?$", re.MULTILINE)
INLINE = re.compile(r"`(make [a-z]+|\.venv/bin/python bench/[\w./]+(?: --json)?)`")

PLAN = {
    "kind": "new_code",
    "files": [{"path": "answer.py", "signatures": ["def answer() -> int"]}],
    "subtasks": [
        {"id": "tests", "role": "test", "goal": "Write tests for answer.", "needs": []},
        {"id": "code", "role": "code", "goal": "Implement answer.", "needs": ["tests"]},
    ],
}
TESTS = "from answer import answer\n\n\ndef test_answer():\n    assert answer() == 42\n"
CODE = "def answer():\n    return 42\n"


def _commands() -> list[str]:
    found = [command for page in PAGES for command in PROMPT.findall(page.read_text())]
    return sorted({command.strip() for command in found})


def _serves(command: str) -> bool:
    """Whether it works until it is interrupted."""
    return "--http" in command


def _answer(body: dict[str, Any]) -> Reply:
    """A model that solves whatever it is asked by the same answer."""
    heard = "\n".join(message["content"] for message in body["messages"])
    if "You are" not in heard:
        return Say("ready")
    if any(message["role"] == "assistant" for message in body["messages"]):
        return Say(calls=(("submit", json.dumps({"summary": "done"})),))
    if "You are the planner" in heard:
        return Say(json.dumps(PLAN))
    test = "You are the test specialist" in heard
    path, content = ("tests/test_answer.py", TESTS) if test else ("answer.py", CODE)
    return Say(calls=(("write_file", json.dumps({"path": path, "content": content})),))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository such as the examples speak of."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_slug.py").write_text(TESTS)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "soundstage").symlink_to(SOUNDSTAGE)
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.invalid")
    for arguments in (("init", "-q"), ("add", "tests"), (*identity, "commit", "-qm", "first")):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    return tmp_path


@pytest.fixture
def model_url() -> Iterator[str]:
    """A server with the model above."""
    with served(OpenAI(), _answer) as server:
        yield server.url


def test_there_are_commands_to_run() -> None:
    assert any("soundstage run" in command for command in _commands())


@pytest.mark.usefixtures("docker_engine")
@pytest.mark.parametrize(
    "command", [command for command in _commands() if "soundstage" in command and not _serves(command)]
)
def test_a_shown_soundstage_command_works(
    command: str, project: Path, home: Path, model_url: str, warm: WarmSoundstage
) -> None:
    environment = {**os.environ, "SOUNDSTAGE_HOME": str(home), "OPENAI_BASE_URL": model_url}
    before = [command.replace("--replay", "--record")] if "--replay" in command else []
    for each in (*before, command):
        program, *arguments = shlex.split(each)
        assert (project / program).samefile(SOUNDSTAGE)
        done = warm.run({"arguments": arguments, "folder": str(project), "environment": environment}, "")
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.usefixtures("docker_engine")
@pytest.mark.parametrize("command", [command for command in _commands() if _serves(command)])
def test_a_shown_command_that_serves_does_so_until_it_is_interrupted(
    command: str, project: Path, home: Path, model_url: str
) -> None:
    environment = {**os.environ, "SOUNDSTAGE_HOME": str(home), "OPENAI_BASE_URL": model_url}
    argv = shlex.split(re.sub(r":\d+$", ":0", command))  # the port may be taken here
    with subprocess.Popen(argv, cwd=project, env=environment, stderr=subprocess.PIPE, text=True) as serving:
        assert serving.stderr is not None
        assert any("listening at" in line for line in serving.stderr)
        serving.terminate()
        assert serving.wait(60) == 130


@pytest.mark.parametrize("command", [command for command in _commands() if command.startswith("make")])
def test_a_shown_make_target_is_there(command: str) -> None:
    done = subprocess.run(["make", "-n", *command.split()[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_command_named_in_running_text_is_there() -> None:
    named = {command for page in PAGES for command in INLINE.findall(page.read_text())}
    assert named
    for command in named:
        program, target = command.split()[0], command.split()[1]
        if program == "make":
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), command
        else:
            assert (ROOT / target).is_file(), command


def test_every_link_between_pages_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_nothing_tracked_names_a_package_registry_or_a_path_of_one_machine() -> None:
    words = ["py" + "pi.org", "python" + "hosted", "npm" + "js.org", "deb." + "debian.org", "/wo" + "rk/"]
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        content = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b""
        assert not [word for word in words if word.encode() in content], name
