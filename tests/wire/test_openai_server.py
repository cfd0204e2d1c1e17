import json
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.wire.openai_server import Json, Reply, Say, served

GOOD: Json = {"model": "m", "stream": True, "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
ASKED = {"role": "assistant", "content": "", "tool_calls": [CALL]}
LONG_ID = ASKED | {"tool_calls": [CALL | {"id": "c" * 41}]}
NAMELESS = ASKED | {"tool_calls": [CALL | {"function": {"name": "", "arguments": "{}"}}]}
USER, TOOL = GOOD["messages"][0], {"role": "tool", "tool_call_id": "c1", "content": "x"}


def echo(body: Json) -> Reply:
    return Say(f"you said {body['messages'][-1]['content']}")


def post(url: str, body: Json) -> str:
    request = urllib.request.Request(f"{url}/chat/completions", json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=10) as response:
        events = [line.removeprefix("data: ") for line in response.read().decode().splitlines() if line]
    assert events[-1] == "[DONE]"
    choices = [choice for event in events[:-1] for choice in json.loads(event)["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def test_the_server_answers_from_a_thread_and_remembers_what_it_was_asked() -> None:
    with served(echo) as server:
        assert post(server.url, GOOD) == "you said hi"
        assert server.chats == [GOOD]


def test_the_server_answers_from_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "tests.wire.openai_server", "tests.wire.test_openai_server:echo"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert post(url, GOOD) == "you said hi"
        process.stdin.close()
    assert process.returncode == 0


@pytest.mark.parametrize(
    "change",
    [
        {"model": ""},
        {"stream": False},
        {"max_tokens": None},
        {"secret": 1},
        {"messages": []},
        {"messages": [TOOL]},
        {"messages": [USER, ASKED]},
        {"messages": [USER, ASKED, USER]},
        {"messages": [USER, LONG_ID, TOOL | {"tool_call_id": "c" * 41}]},
        {"messages": [USER, NAMELESS, TOOL]},
        {"messages": [USER, ASKED | {"tool_calls": [CALL, CALL]}, TOOL, TOOL]},
        {"messages": [USER, ASKED, TOOL, TOOL]},
        {"messages": [{"role": "user", "content": None}]},
        {"tools": [{"type": "function", "function": {"name": "no spaces", "parameters": {"type": "object"}}}]},
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
    ],
    ids=lambda change: json.dumps(change)[:60],
)
def test_the_server_refuses_what_openai_refuses(change: dict[str, Any]) -> None:
    with served(echo) as server, pytest.raises(urllib.error.HTTPError, match="400") as raised:
        post(server.url, GOOD | change)
    raised.value.close()


def test_the_server_accepts_tools_that_were_answered() -> None:
    with served(echo) as server:
        assert post(server.url, GOOD | {"messages": [USER, ASKED, TOOL]}) == "you said x"
