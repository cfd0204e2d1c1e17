import json
from typing import Any

import pytest

from tests.wire.dialect import Purpose
from tests.wire.mistral_dialect import Mistral
from tests.wire.replies import Json

FUNCTION = {"name": "f", "arguments": "{}"}
CALL = {"id": "abc123DEF", "function": FUNCTION}
USER = {"role": "user", "content": "hi"}
ASKED = {"role": "assistant", "content": "", "tool_calls": [CALL]}
TOOL = {"role": "tool", "tool_call_id": "abc123DEF", "content": "x"}
SYSTEM = {"role": "system", "content": "be good"}
PICTURE = {"type": "image_url", "image_url": "data:image/png;base64,AAAA"}
GOOD: Json = {"model": "m", "messages": [USER]}


@pytest.mark.parametrize(
    "messages",
    [
        [SYSTEM, USER, SYSTEM, USER],
        [USER, ASKED, TOOL],
        [USER, ASKED, TOOL, {"role": "assistant", "content": "ok"}, USER],
        [USER, ASKED | {"content": "I look."}, TOOL],
        [{"role": "user", "content": [{"type": "text", "text": "look"}, PICTURE]}],
        [{"role": "user", "content": [PICTURE | {"image_url": {"url": PICTURE["image_url"]}}]}],
    ],
    ids=lambda messages: "-".join(message["role"] for message in messages),
)
def test_the_server_accepts_what_mistral_accepts(messages: list[Json]) -> None:
    assert Mistral().fault(Purpose.CHAT, GOOD | {"messages": messages}) == ""


@pytest.mark.parametrize(
    "change",
    [
        {"model": ""},
        {"stream_options": {"include_usage": True}},
        {"max_completion_tokens": 5},
        {"max_tokens": 0},
        {"stream": "yes"},
        {"temperature": 2},
        {"response_format": {"type": "yaml"}},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {}}}},
        {"tools": [{"type": "function", "function": {"name": "no spaces", "parameters": {}}}]},
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {"messages": []},
        {"messages": [{"role": "developer", "content": "x"}]},
        {"messages": [TOOL]},
        {"messages": [USER, ASKED]},
        {"messages": [USER, ASKED, USER]},
        {"messages": [USER, ASKED, TOOL, USER]},
        {"messages": [USER, ASKED, TOOL, TOOL]},
        {"messages": [USER, {"role": "assistant", "content": "x"}]},
        {"messages": [USER, {"role": "assistant", "content": "x"}, SYSTEM, USER]},
        {"messages": [USER, {"role": "assistant", "content": ""}, USER]},
        {"messages": [USER, {"role": "assistant", "content": "", "tool_calls": []}, USER]},
        {"messages": [USER, ASKED | {"tool_calls": [CALL | {"id": "call_1"}]}, TOOL | {"tool_call_id": "call_1"}]},
        {"messages": [USER, ASKED | {"tool_calls": [CALL, CALL]}, TOOL]},
        {"messages": [USER, ASKED | {"tool_calls": [CALL | {"function": {"name": ""}}]}, TOOL]},
        {"messages": [USER, ASKED, TOOL | {"tool_call_id": "abc123DEG"}]},
        {"messages": [{"role": "user", "content": None}]},
        {"messages": [{"role": "user", "content": "x", "images": []}]},
        {"messages": [{"role": "user", "content": [PICTURE | {"image_url": "data:image/png;base64,?"}]}]},
        {"messages": [SYSTEM | {"content": [PICTURE]}, USER]},
    ],
    ids=lambda change: json.dumps(change)[:60],
)
def test_the_server_refuses_what_mistral_refuses(change: dict[str, Any]) -> None:
    assert Mistral().fault(Purpose.CHAT, GOOD | change)


@pytest.mark.parametrize("change", [{"input": []}, {"input": "x"}, {"input": [1]}, {"secret": 1}], ids=str)
def test_the_server_refuses_texts_that_mistral_refuses_to_embed(change: Json) -> None:
    assert Mistral().fault(Purpose.EMBEDDING, {"model": "m", "input": ["x"]}) == ""
    assert Mistral().fault(Purpose.EMBEDDING, {"model": "m", "input": ["x"]} | change)
