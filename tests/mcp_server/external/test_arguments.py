"""Arguments against the schemas of external tools."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mcp_server.external.arguments import arguments_of, problems, sample

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "path": {"type": "string", "minLength": 1, "maxLength": 5},
        "count": {"type": "integer", "minimum": 1, "exclusiveMaximum": 9},
        "mode": {"enum": ["a", "b", 1]},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
        "either": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "nested": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]},
        "all": {"allOf": [{"type": "integer"}, {"minimum": 5}]},
    },
    "required": ["path"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"path": "x"}, ""),
        ({"path": "x", "count": 8, "mode": 1, "tags": ["a", "b"], "either": None, "nested": {"x": 1.5}, "all": 5}, ""),
        ({}, "path is missing"),
        ({"path": ""}, "path must be at least that long: 1"),
        ({"path": "xxxxxx"}, "path must be at most that long: 5"),
        ({"path": 1}, "path must be string"),
        ({"path": "x", "count": True}, "count must be integer"),
        ({"path": "x", "count": 1.5}, "count must be integer"),
        ({"path": "x", "count": 0}, "count must be at least 1"),
        ({"path": "x", "count": 9}, "count must be less than 9"),
        ({"path": "x", "mode": True}, "mode must be one of 'a', 'b', 1"),
        ({"path": "x", "tags": ["a", 1]}, "tags[1] must be string"),
        ({"path": "x", "tags": ["a", "b", "c"]}, "tags must be at most so many items: 2"),
        ({"path": "x", "either": 1}, "either must be string"),
        ({"path": "x", "nested": {}}, "nested.x is missing"),
        ({"path": "x", "all": 4}, "all must be at least 5"),
        ({"path": "x", "more": 1}, "more is not taken"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(given: dict[str, Any], said: str) -> None:
    assert "; ".join(problems(SCHEMA, given)) == said


def test_the_arguments_of_a_tool_tell_their_schema_and_refuse_what_breaks_it() -> None:
    kind = arguments_of(SCHEMA)
    assert kind.model_json_schema() is SCHEMA
    assert kind.model_validate({"path": "x"}).root == {"path": "x"}
    with pytest.raises(ValidationError, match="path is missing"):
        kind.model_validate({})


def test_a_pattern_or_a_reference_of_a_hostile_schema_does_no_work() -> None:
    slow = {"properties": {"text": {"type": "string", "pattern": "(a+)+$"}, "other": {"$ref": "#"}}}
    assert list(problems(slow, {"text": "a" * 100_000 + "!", "other": {}})) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
KEYWORDS = st.sampled_from(
    ["type", "properties", "required", "items", "enum", "const", "anyOf", "oneOf", "allOf", "minimum", "maximum",
     "minLength", "maxItems", "additionalProperties"]
)  # fmt: skip
ODD = st.recursive(
    JSON | st.sampled_from(["object", "string", "integer"]),
    lambda inner: st.dictionaries(KEYWORDS, inner | st.lists(inner, max_size=3), max_size=4),
    max_leaves=12,
)


@given(ODD, JSON)
def test_no_schema_and_no_value_break_the_check(schema: Any, value: Any) -> None:
    assert all(isinstance(problem, str) for problem in problems(schema, value))
    sample(schema)


@given(st.sampled_from(["string", "integer", "number", "boolean", "array", "object", "null"]))
def test_a_sample_fits_its_own_schema(kind: str) -> None:
    schema = {"type": "object", "properties": {"x": {"type": kind}}, "required": ["x"]}
    assert list(problems(schema, sample(schema))) == []
