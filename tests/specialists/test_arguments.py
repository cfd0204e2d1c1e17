"""The arguments of a tool call, as models really write them."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specialists.arguments import MAX_CHARACTERS, MalformedArguments, parse_arguments, read_arguments, valid_json

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))
OBJECTS = st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text(), max_size=4)
CUT = st.tuples(JSON.map(json.dumps), st.integers(0, 60)).map(lambda pair: pair[0][: pair[1]])


def strict(text: str) -> Any:
    """Reads JSON as servers do: Python's NaN and Infinity are no JSON."""

    def refuse(name: str) -> None:
        raise ValueError(name)

    return json.loads(text, parse_constant=refuse)


@given(OBJECTS)
def test_an_object_is_read_as_it_is_also_when_it_was_encoded_twice(value: dict[str, Any]) -> None:
    assert parse_arguments(json.dumps(value)) == value
    assert parse_arguments(json.dumps(json.dumps(value))) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        (" \n", {}),
        ('{"path": "a.py",}', {"path": "a.py"}),
        ("{'path': 'a.py'}", {"path": "a.py"}),
        ('{"path": "a.py"', {"path": "a.py"}),
        ('{path: "a.py"}', {"path": "a.py"}),
        ('```json\n{"path": "a.py"}\n```', {"path": "a.py"}),
        ('{"content": "one\ntwo"}', {"content": "one\ntwo"}),
        ('{"ok": True}', {"ok": True}),
    ],
)
def test_the_usual_slips_are_repaired(text: str, expected: dict[str, Any]) -> None:
    assert parse_arguments(text) == expected


@pytest.mark.parametrize(
    "text", ["hello", "[1, 2]", "3", "null", '"text"', '"\\"text\\""', "[" * 100_000, "x" * (MAX_CHARACTERS + 1)]
)
def test_what_is_no_object_is_refused_in_few_words(text: str) -> None:
    with pytest.raises(MalformedArguments) as refusal:
        parse_arguments(text)
    assert 0 < len(str(refusal.value)) < 500


@pytest.mark.parametrize(
    "text",
    [
        '{"path": "a.py", "content": "x = 1\\ny',
        '{"path": "a.js", "content": "f = {a: 1}',
        "{'path': 'a.py', 'content': 'x = 1",
        '{"start": 1',
        '{"path": "a.py", "content":',
        '[{"path": "a',
    ],
)
def test_a_value_that_breaks_off_is_not_made_up(text: str) -> None:
    with pytest.raises(MalformedArguments, match="break off"):
        parse_arguments(text)


@pytest.mark.parametrize(
    ("text", "repaired"), [("", False), ('{"a": 1}', False), ('{"a": 1,}', True), ('"{\\"a\\": 1}"', True)]
)
def test_a_repair_is_said(text: str, repaired: bool) -> None:
    assert read_arguments(text).repaired is repaired


@given(st.text(max_size=30), st.integers(1, 40))
def test_a_content_is_never_shortened_by_a_repair(content: str, left: int) -> None:
    whole = json.dumps({"path": "a.py", "content": content})
    with contextlib.suppress(MalformedArguments):
        assert parse_arguments(whole[:-left]).get("content", content) in (content, "")


def test_a_large_file_passes() -> None:
    content = 'print("ä")\n' * 50_000
    assert parse_arguments(json.dumps({"content": content})) == {"content": content}


@given(st.text() | CUT | JSON.map(json.dumps))
def test_any_text_is_an_object_or_is_refused(text: str) -> None:
    with contextlib.suppress(MalformedArguments):
        assert isinstance(parse_arguments(text), dict)


@given(st.text() | CUT | JSON.map(json.dumps))
def test_a_history_holds_an_object_that_every_server_can_read(text: str) -> None:
    assert isinstance(strict(valid_json(text)), dict)


@given(OBJECTS.filter(lambda value: "\\u0000" not in json.dumps(value)))
def test_arguments_that_were_right_stay_as_they_were_in_the_history(value: dict[str, Any]) -> None:
    assert valid_json(json.dumps(value)) == json.dumps(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": "x\\u0000y"}', {"a": "xy"}),
        ('{"a": "\\\\u0000"}', {"a": "\\u0000"}),
        ('{"a": "\\\\\\u0000"}', {"a": "\\"}),
        ('{"a": "\\ud800"}', {"a": "\ufffd"}),
        ('{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
    ],
)
def test_a_history_holds_no_character_that_servers_choke_on(text: str, expected: dict[str, Any]) -> None:
    assert strict(valid_json(text)) == expected
