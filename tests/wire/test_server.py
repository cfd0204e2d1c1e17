import http.client
import json
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import pytest

from tests.wire.dialect import Dialect
from tests.wire.groq_dialect import Groq
from tests.wire.openai_dialect import OpenAI
from tests.wire.replies import Embed, Json, Reply, Say
from tests.wire.server import served

GOOD: Json = {"model": "m", "stream": True, "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
WHOLE: Json = {"model": "m", "messages": GOOD["messages"]}
FUNCTION = {"name": "f", "arguments": "{}"}
CALL = {"id": "c1", "type": "function", "function": FUNCTION}
ASKED = {"role": "assistant", "content": "", "tool_calls": [CALL]}
USER, TOOL = GOOD["messages"][0], {"role": "tool", "tool_call_id": "c1", "content": "x"}
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}


def echo(body: Json) -> Reply:
    if "input" in body:
        return Embed([[0.5, -1.0]] * len(body["input"]))
    return Say(f"you said {body['messages'][-1]['content']}")


def fetched(url: str, body: Json) -> str:
    request = urllib.request.Request(url, json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=10) as response:
        found: str = response.read().decode()
    return found


def post(url: str, body: Json) -> str:
    text = fetched(f"{url}/chat/completions", body)
    if not body.get("stream"):
        return str(json.loads(text)["choices"][0]["message"]["content"])
    events = [line.removeprefix("data: ") for line in text.splitlines() if line]
    assert events[-1] == "[DONE]"
    choices = [choice for event in events[:-1] for choice in json.loads(event)["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


@pytest.mark.parametrize("asked", [GOOD, WHOLE, WHOLE | {"stream": False}], ids=["pieces", "whole", "not pieces"])
def test_the_server_answers_from_a_thread_and_remembers_what_it_was_asked(asked: Json) -> None:
    with served(OpenAI(), echo) as server:
        assert post(server.url, asked) == "you said hi"
        assert server.chats == [asked]


def test_the_server_answers_from_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "tests.wire.server", "tests.wire.openai_dialect:OpenAI", f"{__name__}:echo"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert post(url, GOOD) == "you said hi"
        process.stdin.close()
    assert process.returncode == 0


def test_one_connection_serves_one_request_after_the_other() -> None:
    with served(OpenAI(), echo) as server:
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.url).netloc, timeout=10)
        for asked in (GOOD, WHOLE, GOOD | {"messages": []}, WHOLE):
            connection.request("POST", "/v1/chat/completions", json.dumps(asked))
            socket_before = connection.sock
            assert connection.getresponse().read()
            assert connection.sock is socket_before is not None
        connection.close()
        assert len(server.requests) == 4


def test_embeddings_come_as_numbers_or_as_base64() -> None:
    with served(OpenAI(), echo) as server:
        plain = json.loads(fetched(f"{server.url}/embeddings", {"model": "m", "input": ["a", "b"]}))
        packed = json.loads(
            fetched(f"{server.url}/embeddings", {"model": "m", "input": ["a"], "encoding_format": "base64"})
        )

    assert [each["embedding"] for each in plain["data"]] == [[0.5, -1.0]] * 2
    assert packed["data"][0]["embedding"] == "AAAAPwAAgL8="


@pytest.mark.parametrize(
    "change",
    [
        {"model": ""},
        {"stream": "yes"},
        {"stream": False, "stream_options": {"include_usage": True}},
        {"max_tokens": 0},
        {"max_completion_tokens": 5},
        {"temperature": 3},
        {"secret": 1},
        {"messages": []},
        {"messages": [TOOL]},
        {"messages": [USER, ASKED]},
        {"messages": [USER, ASKED, USER]},
        {"messages": [USER, ASKED, TOOL, TOOL]},
        {"messages": [USER, ASKED | {"tool_calls": []}]},
        {"messages": [USER, ASKED | {"tool_calls": [CALL, CALL]}, TOOL]},
        {"messages": [USER, ASKED | {"tool_calls": [CALL | {"id": "c" * 41}]}, TOOL | {"tool_call_id": "c" * 41}]},
        {"messages": [USER, ASKED | {"tool_calls": [CALL | {"function": {"name": "f"}}]}, TOOL]},
        {"messages": [{"role": "user", "content": None}]},
        {"messages": [{"role": "user", "content": []}]},
        {"messages": [{"role": "user", "content": "x", "images": []}]},
        {"messages": [{"role": "user", "content": [PICTURE | {"image_url": {"url": "data:image/png;base64,?"}}]}]},
        {"messages": [{"role": "user", "content": [{"type": "picture"}]}]},
        {"messages": [{"role": "system", "content": [PICTURE]}]},
        {"tools": []},
        {"tools": [{"type": "function", "function": {"name": "no spaces", "parameters": {"type": "object"}}}]},
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {}}}},
    ],
    ids=lambda change: json.dumps(change)[:60],
)
def test_the_server_refuses_what_openai_refuses(change: dict[str, Any]) -> None:
    refused(OpenAI(), "/chat/completions", GOOD | change)


@pytest.mark.parametrize(
    "change", [{"input": []}, {"input": [""]}, {"input": "x", "encoding_format": "text"}, {"secret": 1}], ids=str
)
def test_the_server_refuses_texts_that_openai_refuses_to_embed(change: Json) -> None:
    refused(OpenAI(), "/embeddings", {"model": "m", "input": ["x"]} | change)


@pytest.mark.parametrize(
    "change",
    [
        {"stream": True, "response_format": SCHEMA},
        {"response_format": SCHEMA, "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]},
        {"logprobs": True},
    ],
    ids=["schema in pieces", "schema and tools", "logprobs"],
)
def test_the_server_refuses_what_groq_refuses(change: Json) -> None:
    refused(Groq(), "/openai/v1/chat/completions", WHOLE | change)


def refused(dialect: Dialect, path: str, body: Json) -> None:
    with served(dialect, echo) as server, pytest.raises(urllib.error.HTTPError, match="400") as raised:
        fetched(f"{server.url}{path}", body)
    raised.value.close()


def test_the_server_accepts_tools_that_were_answered_and_pictures() -> None:
    shown = {"role": "user", "content": [{"type": "text", "text": "look"}, PICTURE]}
    with served(OpenAI(), echo) as server:
        assert post(server.url, GOOD | {"messages": [shown, ASKED, TOOL]}) == "you said x"


@pytest.mark.parametrize("asked", [False, True])
def test_groq_tells_the_usage_at_the_end_and_in_a_chunk_of_its_own_where_it_was_asked_for(asked: bool) -> None:
    body = GOOD | {"stream_options": {"include_usage": asked}}
    with served(Groq(), echo) as server:
        events = fetched(f"{server.url}/openai/v1/chat/completions", body).split("\n\n")[:-2]
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]

    assert [chunk["x_groq"]["usage"]["prompt_tokens"] for chunk in chunks if "x_groq" in chunk] == [11]
    assert len([chunk for chunk in chunks if "usage" in chunk]) == int(asked)
