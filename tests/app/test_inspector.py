"""The MCP project's own client, the inspector, against ``soundstage mcp`` in a process of its own."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.app.conftest import SOUNDSTAGE, Cli
from tests.node_tools import NodeTools

SERVE = [str(SOUNDSTAGE), "mcp", "--model", "scripted"]
TOOLS = {
    "answer_question", "approve_step", "cancel_task", "get_costs", "get_evidence", "get_patch", "get_task",
    "list_tasks", "run_task",
}  # fmt: skip
REFUSED = 5
"""How the inspector ends when a tool answered with an error."""

Inspect = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment(home: Path, tmp_path: Path) -> dict[str, str]:
    """Without an engine, and with the inspector's own files in the test's folder."""
    return {
        **os.environ, "SOUNDSTAGE_HOME": str(home), "DOCKER_HOST": "unix:///nonexistent", "HOME": str(tmp_path),
    }  # fmt: skip


@pytest.fixture
def served(environment: dict[str, str]) -> Iterator[str]:
    """The URL of a server over HTTP."""
    command, pipe = [*SERVE, "--http", "127.0.0.1:0"], subprocess.PIPE
    with subprocess.Popen(command, env=environment, text=True, stderr=pipe) as serving:
        try:
            assert serving.stderr is not None
            yield next(line.split(" at ")[1].strip() for line in serving.stderr if "listening at" in line)
        finally:
            serving.kill()


@pytest.fixture(params=["stdio", "http"])
def inspect(request: pytest.FixtureRequest, node_tools: NodeTools, environment: dict[str, str], cli: Cli) -> Inspect:
    """Runs one method of the inspector."""
    target: list[str] = SERVE
    if request.param == "http":
        url = request.getfixturevalue("served")
        made = cli("access", "add", "--scope", "tasks:read", "--scope", "tasks:write", "--scope", "costs:read")
        target = [url, "--transport", "http", "--header", f"Authorization: Bearer {made.stdout.strip()}"]

    def run(method: str, *options: str) -> subprocess.CompletedProcess[str]:
        how = ("-e", f"SOUNDSTAGE_HOME={environment['SOUNDSTAGE_HOME']}", "-e", "DOCKER_HOST=unix:///nonexistent")
        command = node_tools.command("inspector", "--cli", *target, *how, "--method", method, *options)
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=False)

    return run


def answer(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What the server answered."""
    assert done.returncode == 0, done.stderr[-2000:]
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_the_inspector_finds_what_is_offered_and_calls_it(inspect: Inspect) -> None:
    assert {tool["name"] for tool in answer(inspect("tools/list"))["tools"]} == TOOLS
    assert answer(inspect("resources/list"))["resources"] == []
    assert {prompt["name"] for prompt in answer(inspect("prompts/list"))["prompts"]} == {
        "fix-failing-test", "add-tests", "review-diff",
    }  # fmt: skip
    assert answer(inspect("tools/call", "--tool-name", "list_tasks"))["structuredContent"]["tasks"] == []
    unknown = inspect("tools/call", "--tool-name", "get_task", "--tool-arg", "task_id=nothing")
    assert unknown.returncode == REFUSED
    assert json.loads(unknown.stdout)["isError"] is True
    assert "There is no task 'nothing'" in unknown.stdout
