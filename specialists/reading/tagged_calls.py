"""Tool calls written with tags: ``<function=shell><parameter=command>ls</parameter></function>`` and the like."""

import re
from collections.abc import Iterator
from typing import Any

from specialists.reading.action import Action
from specialists.reading.json_calls import Place, sole, written
from specialists.reading.known_tools import KnownTools

OPENING = re.compile(
    r"^[ \t>*-]{0,20}(?:<tool_call>([A-Za-z_][\w.-]{0,63})\s"
    r"|(?:<tool_call>\s{0,4})?<(?:function=|function name=\"|invoke name=\"|tool name=\"|)([A-Za-z_][\w.-]{0,63})\"?>)",
    re.MULTILINE,
)
FIELD = re.compile(
    r"\s*<arg_key>\s*(\w{1,64})\s*</arg_key>\s*<arg_value>"
    r"|\s*<(?:parameter=|parameter name=\"|arg name=\"|)([A-Za-z_]\w{0,63})\"?>"
)
CLOSED = re.compile(r"\s*(?:</[\w.:-]{1,64}>\s*){1,3}")
MOST_TRIES = 8
TEXTS = frozenset({"content", "old", "new"})


def calls(text: str, tools: KnownTools) -> Iterator[Place]:
    """The calls in a text, each with its place."""
    end = tries = 0
    for found in OPENING.finditer(text):
        name = tools.resolve(found[1] or found[2])
        if found.start() < end or name not in tools or tries >= MOST_TRIES:
            continue
        tries += 1
        arguments, last = _fields(text, found.end(), name, tools)
        closed = CLOSED.match(text, last)
        if closed and tools.takes(name, arguments):
            tries -= 1
            end = closed.end()
            yield found.start(), end, (written(name, arguments),)


def whole(body: str, tools: KnownTools) -> tuple[Action, ...]:
    """The calls of a text that is nothing but them."""
    return sole(list(calls(body, tools)), body)


def _fields(text: str, at: int, name: str, tools: KnownTools) -> tuple[dict[str, Any], int]:
    """The fields that follow each other from ``at`` on, and where they end."""
    arguments: dict[str, Any] = {}
    while found := FIELD.match(text, at):
        field = found[1] or found[2]
        closing = _closing(found)
        end = text.find(closing, found.end())
        if end < 0 or field in arguments or field not in tools.fields(name):
            break
        value = text[found.end() : end].removeprefix("\n")
        arguments[field] = tools.value(name, field, _trimmed(field, value))
        at = end + len(closing)
    return arguments, at


def _closing(field: "re.Match[str]") -> str:
    """The tag that closes a field."""
    if field[1]:
        return "</arg_value>"
    kind = next((kind for kind in ("parameter", "arg") if f"<{kind}" in field[0] and field[2] != kind), field[2])
    return f"</{kind}>"


def _trimmed(field: str, value: str) -> str:
    """The value without white space around it; of a file's text, without what stands before the closing tag."""
    return value.rstrip(" \t") if field in TEXTS else value.strip()
