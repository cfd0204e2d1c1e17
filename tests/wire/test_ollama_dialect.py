import json
from typing import Any

import pytest

from tests.wire.dialect import Purpose
from tests.wire.ollama_dialect import Ollama
from tests.wire.replies import Json, Say

USER = {"role": "user", "content": "hi"}
GOOD: Json = {"model": "m", "messages": [USER]}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


@pytest.mark.parametrize(
    "change",
    [
        {"format": {"type": "object"}},
        {"format": "json", "stream": False, "tools": [TOOL], "options": {"num_predict": 5, "temperature": 1}},
        {"messages": [USER | {"images": ["AAAA"]}, {"role": "tool", "tool_name": "f", "content": ""}]},
        {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}]},
    ],
    ids=lambda change: json.dumps(change)[:60],
)
def test_the_server_accepts_what_ollama_accepts(change: Json) -> None:
    assert Ollama().fault(Purpose.CHAT, GOOD | change) == ""


@pytest.mark.parametrize(
    "change",
    [
        {"model": ""},
        {"max_tokens": 5},
        {"response_format": {"type": "json_object"}},
        {"format": "yaml"},
        {"options": {"max_tokens": 5}},
        {"options": {"num_predict": "5"}},
        {"options": {"num_predict": True}},
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {"tools": [TOOL["function"]]},
        {"messages": []},
        {"messages": [USER | {"role": "developer"}]},
        {"messages": [USER | {"content": [{"type": "text", "text": "x"}]}]},
        {"messages": [USER | {"images": ["data:image/png;base64,AAAA"]}]},
        {"messages": [USER | {"name": "me"}]},
        {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}]},
    ],
    ids=lambda change: json.dumps(change)[:60],
)
def test_the_server_refuses_what_ollama_refuses_or_overlooks(change: dict[str, Any]) -> None:
    assert Ollama().fault(Purpose.CHAT, GOOD | change)


@pytest.mark.parametrize("change", [{"input": []}, {"input": [1]}, {"encoding_format": "float"}], ids=str)
def test_the_server_refuses_texts_that_ollama_refuses_to_embed(change: Json) -> None:
    assert Ollama().fault(Purpose.EMBEDDING, {"model": "m", "input": ["x"], "truncate": False}) == ""
    assert Ollama().fault(Purpose.EMBEDDING, {"model": "m", "input": ["x"]} | change)


def test_an_answer_comes_in_pieces_unless_it_is_asked_for_as_a_whole() -> None:
    assert Ollama().streams(GOOD)
    assert not Ollama().streams(GOOD | {"stream": False})


def test_a_call_whose_arguments_are_no_object_is_text_to_ollama() -> None:
    answer = json.loads(Ollama().whole(Say("So: ", calls=(("f", "{oops"), ("g", '{"a": 1}'))), GOOD))

    assert answer["message"]["content"] == "So: {oops"
    assert [call["function"]["name"] for call in answer["message"]["tool_calls"]] == ["g"]
