"""The judges of requests refuse what the providers refuse."""

from typing import Any

import pytest

from tests.wire import mistral_requests, ollama_requests

USER: dict[str, Any] = {"role": "user", "content": "hi"}
CALL: dict[str, Any] = {"id": "abcdefghi", "type": "function", "function": {"name": "f", "arguments": "{}"}}
ASKS: dict[str, Any] = {"role": "assistant", "content": "", "tool_calls": [CALL]}
RESULT: dict[str, Any] = {"role": "tool", "tool_call_id": "abcdefghi", "content": "x"}
SAYS: dict[str, Any] = {"role": "assistant", "content": "hello"}


@pytest.mark.parametrize("messages", [[USER], [USER, ASKS, RESULT], [USER, ASKS, RESULT, SAYS, USER], [USER, USER]])
def test_mistral_accepts_a_proper_conversation(messages: list[dict[str, Any]]) -> None:
    assert mistral_requests.chat_fault({"messages": messages}) == ""


@pytest.mark.parametrize(
    ("messages", "fault"),
    [
        ([], "at least one message"),
        ([USER, {"role": "function", "content": "x"}], "unknown roles"),
        ([SAYS], "must start with a user message"),
        ([USER, SAYS], "Expected last role User or Tool"),
        ([USER, ASKS, RESULT, USER], "Unexpected role 'user' after role 'tool'"),
        ([USER, RESULT], "Unexpected role 'tool' after role 'user'"),
        ([USER, SAYS | {"content": ""}, USER], "either content or tool_calls"),
        ([USER | {"content": None}], "must have content"),
        ([USER, ASKS, USER], "Not the same number"),
        ([USER, ASKS, RESULT, RESULT], "Not the same number"),
        ([USER, ASKS, RESULT | {"tool_call_id": "call_1"}], "with a length of 9"),
        ([USER, ASKS | {"tool_calls": [CALL | {"id": "call_1"}]}, RESULT], "with a length of 9"),
        ([USER, ASKS | {"tool_calls": [CALL | {"function": {"name": "a b"}}]}, RESULT], "Function name was a b"),
    ],
)
def test_mistral_refuses(messages: list[dict[str, Any]], fault: str) -> None:
    assert fault in mistral_requests.chat_fault({"messages": messages})


def _asks(function: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": "", "tool_calls": [{"function": function}]}


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        (_asks({"name": "f", "arguments": {"a": 1}}), ""),
        (_asks({"name": "f", "arguments": "{}"}), "cannot unmarshal string"),
        (_asks({"name": "", "arguments": {}}), "no name"),
        ({"role": "developer", "content": "x"}, "unknown role"),
        ({"role": "user", "content": [{"type": "text"}]}, "of type string"),
        ({"role": "user", "content": "x", "images": [""]}, "base64"),
        ({"role": "user", "content": "x", "image_url": "y"}, "unknown fields"),
    ],
)
def test_ollama_refuses_what_it_cannot_read(message: dict[str, Any], fault: str) -> None:
    found = ollama_requests.chat_fault({"messages": [USER, message]})
    assert fault in found if fault else not found


def test_ollama_only_loads_the_model_without_messages() -> None:
    assert "only loads" in ollama_requests.chat_fault({"messages": []})
