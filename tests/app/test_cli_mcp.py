"""``soundstage mcp``: what it is told, and how it ends. What it serves is tested where that is made."""

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from app.commands.mcp import listen
from domain.errors import UsageError
from tests.app.conftest import SOUNDSTAGE, Cli

HELLO = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}  # fmt: skip


NO_ADDRESSES = ["", ":", "8765", "127.0.0.1", "127.0.0.1:", "a:b", "127.0.0.1:99999", "u@h:1", "h:1/x", "[::1"]


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="takes HOST:PORT"):
        listen(address, ())


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.org:0"])
def test_whoever_opens_it_to_other_machines_says_by_what_name(address: str) -> None:
    with pytest.raises(UsageError, match="--host NAME"):
        listen(address, ())


@pytest.mark.parametrize("address", ["127.0.0.1:0", "localhost:0", "127.1.2.3:0"])
def test_this_machine_alone_needs_no_name(address: str) -> None:
    with listen(address, ()) as listening:
        assert listening.getsockname()[1]


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(UsageError, match=address):
            listen(address, ())


def test_an_open_address_with_a_name_is_listened_at() -> None:
    with listen("0.0.0.0:0", ("build-machine",)) as listening:
        assert listening.getsockname()[0] == "0.0.0.0"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host", "a"], "Add --http"),
        (["--origin", "https://a"], "Add --http"),
        (["--folders", "/nowhere"], "is no folder"),
        (["--http", "nonsense"], "HOST:PORT"),
        (["--model", "nobody/x"], "needs a provider"),
    ],
)
def test_wrong_usage_is_told_and_nothing_is_served(options: list[str], said: str, cli: Cli) -> None:
    done = cli("mcp", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("docker_engine")
def test_it_serves_one_client_and_ends_with_it(cli: Cli) -> None:
    done = cli("mcp", "--model", "scripted", stdin=json.dumps(HELLO) + "\n")
    assert done.returncode == 0, done.stderr
    (answer,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert answer["result"]["serverInfo"]["name"] == "soundstage"
    assert "scripted model" in done.stderr


@pytest.mark.usefixtures("docker_engine")
@pytest.mark.parametrize("arguments", [(), ("--http", "127.0.0.1:0")])
def test_it_is_interrupted_like_any_command(arguments: tuple[str, ...], home: Path) -> None:
    command = [str(SOUNDSTAGE), "mcp", "--model", "scripted", *arguments]
    environment = {**os.environ, "SOUNDSTAGE_HOME": str(home)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, text=True, stdin=pipe, stdout=pipe, stderr=pipe) as serving:
        assert serving.stdin is not None
        assert serving.stderr is not None
        if arguments:
            told = next(line for line in serving.stderr if "listening at http://127.0.0.1:" in line)
            assert told.endswith("/mcp\n")
        else:
            serving.stdin.write(json.dumps(HELLO) + "\n")
            serving.stdin.flush()
            assert serving.stdout is not None
            serving.stdout.readline()
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(60) == 130
        assert "Interrupted" in serving.stderr.read()


def test_it_serves_without_an_engine_and_tells_who_submits_a_task(home: Path) -> None:
    call = {"name": "run_task", "arguments": {"prompt": "Create a fibonacci function with tests", "wait": True}}
    lines = [HELLO, {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call}]
    environment = {**os.environ, "SOUNDSTAGE_HOME": str(home), "DOCKER_HOST": "unix:///nonexistent"}
    command, pipe = [str(SOUNDSTAGE), "mcp", "--model", "scripted"], subprocess.PIPE
    with subprocess.Popen(command, env=environment, text=True, stdin=pipe, stdout=pipe, stderr=pipe) as serving:
        assert serving.stdin is not None
        assert serving.stdout is not None
        for line in lines:
            serving.stdin.write(json.dumps(line) + "\n")
            serving.stdin.flush()
            answer = json.loads(serving.stdout.readline())
        serving.stdin.close()
        assert serving.wait(60) == 0
    assert answer["id"] == 2
    assert "The Docker engine does not answer" in answer["result"]["structuredContent"]["reason"]
