"""Tool calls written as JSON: ``{"name": "shell", "arguments": {...}}`` and its many cousins."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from specialists.arguments import MalformedArguments, read_arguments, read_json
from specialists.reading.action import Action, action
from specialists.reading.known_tools import KnownTools
from specialists.reading.mending import mended, mended_command

WRITTEN = "a call written as text"
LINE = re.compile(
    r"^[ \t>*-]{0,20}((?:</?[|\w :=/\"-]{1,60}>|\[/?[A-Z_]{3,20}\]|functools|json)?)[ \t]*[{\[]", re.MULTILINE
)
NAMED = re.compile(
    r"(?:<function=|<function name=\"|\[TOOL_CALLS\][ \t]*|^[ \t*]*Action:[ \t*`]*|"
    r"<[|｜]tool[_▁]call[_▁]begin[|｜]>[ \t]*|"
    r"\bto=functions\.|<[|｜]tool[_▁]sep[|｜]>|<tool_call>\s{0,4})(?!function<)([\w.:-]{1,64})[^{}]{0,160}\{",
    re.MULTILINE,
)
"""A tool's name in front of its arguments, with nothing but marks between them."""
MOST_TRIES = 8
"""So many things that look like calls and are none are tried."""
NAMES = ("name", "tool", "tool_name", "action", "function", "function_name", "recipient_name")
ARGUMENTS = ("arguments", "parameters", "args", "input", "params", "kwargs", "tool_input", "action_input")
WRAPPERS = ("function", "tool_call", "function_call", "call")
ENDS = ("</", "<|", "[/", "\n```", "\nObservation:")
BETWEEN = " \t\n,;"
PAIRS = {"{": "}", "[": "]"}

Place = tuple[int, int, tuple[Action, ...]]


def calls(text: str, tools: KnownTools) -> Iterator[Place]:
    """The calls in a text, each with its place."""
    end = tries = 0
    for found in _candidates(text):
        start, name = found.end() - 1, found[1] if found.re is NAMED else ""
        if start < end or tries >= MOST_TRIES:
            continue
        after = _end(text, start)
        resolved = tools.resolve(name)
        if resolved in tools:
            actions = _with_name(resolved, text[start:after])
        else:
            actions = _read(text[start:after], tools, bare=False)
        tries += not actions
        if actions:
            end = after
            yield found.start(), end, actions


def whole(body: str, tools: KnownTools) -> tuple[Action, ...]:
    """The calls of a text that is nothing but them; arguments that only one tool takes need no name."""
    body = body.strip()
    if body[:1] not in PAIRS:
        return ()
    end = _end(body, 0)
    if end >= len(body):
        return _read(body, tools, bare=True)
    return sole(list(calls(body, tools)), body)


def sole(places: Sequence[Place], body: str) -> tuple[Action, ...]:
    """The calls at these places of a text; none where anything but commas and white space stands besides."""
    made: tuple[Action, ...] = ()
    last = 0
    for start, end, actions in places:
        if body[last:start].strip(BETWEEN):
            return ()
        made, last = made + actions, end
    return () if body[last:].strip(BETWEEN) else made


def _candidates(text: str) -> list["re.Match[str]"]:
    return sorted([*LINE.finditer(text), *NAMED.finditer(text)], key=lambda found: found.end())


def _end(text: str, start: int) -> int:
    """Where the object or list ends that begins at ``start``; else the next mark that could end it, or the end."""
    waiting: list[str] = []
    at = start
    while at < len(text):
        character = text[at]
        if character in PAIRS:
            waiting.append(PAIRS[character])
        elif waiting and character == waiting[-1]:
            waiting.pop()
            if not waiting:
                return at + 1
        elif character == '"':
            at = _string_end(text, at)
        at += 1
    ends = [found for mark in ENDS if (found := text.find(mark, start)) > start]
    return min(ends, default=len(text))


def _string_end(text: str, at: int) -> int:
    """The place of the quote that ends the string which begins at ``at``, or the end of the text."""
    at += 1
    while at < len(text) and text[at] != '"':
        at += 2 if text[at] == "\\" else 1
    return at


def _read(text: str, tools: KnownTools, bare: bool) -> tuple[Action, ...]:
    try:
        value = read_json(text).value
    except MalformedArguments:
        return ()
    return tuple(_calls_in(value, tools, bare))


def _with_name(name: str, text: str) -> tuple[Action, ...]:
    try:
        arguments = read_arguments(text).value
    except MalformedArguments:
        return ()
    return (written(name, arguments),)


def _calls_in(value: Any, tools: KnownTools, bare: bool) -> list[Action]:
    """The calls in a value; none at all when a part of a list is no call."""
    if isinstance(value, list):
        every = [_calls_in(part, tools, bare=False) for part in value]
        return [one for part in every for one in part] if all(every) else []
    if not isinstance(value, dict):
        return []
    if isinstance(value.get("tool_calls"), list):
        return _calls_in(value["tool_calls"], tools, bare=False)
    if wrapped := next((value[key] for key in WRAPPERS if isinstance(value.get(key), dict)), None):
        return _calls_in(wrapped, tools, bare=False)
    one = _named(value, tools) or _keyed(value, tools)
    if one is None and bare and (name := tools.sole_taker(value)):
        one = written(name, value)
    return [one] if one else []


def _named(value: dict[str, Any], tools: KnownTools) -> Action | None:
    """The call of an object that says the tool's name, with the arguments in a field of their own or beside it."""
    key = next((key for key in NAMES if isinstance(value.get(key), str)), None)
    if key is None:
        return None
    name = tools.resolve(value[key])
    field = next((field for field in ARGUMENTS if isinstance(value.get(field), dict | str)), None)
    if field is not None:
        given = value[field]
        try:
            arguments = given if isinstance(given, dict) else read_arguments(given).value
        except MalformedArguments:
            return None
        return written(name, arguments) if name in tools or field in ARGUMENTS[:2] else None
    beside = {other: part for other, part in value.items() if other != key}
    return written(name, beside) if tools.takes(name, beside) else None


def _keyed(value: dict[str, Any], tools: KnownTools) -> Action | None:
    """The call of ``{"shell": {"command": "ls"}}``."""
    if len(value) != 1:
        return None
    ((name, arguments),) = value.items()
    name = tools.resolve(name)
    return written(name, arguments) if isinstance(arguments, dict) and tools.takes(name, arguments) else None


def written(name: str, arguments: dict[str, Any]) -> Action:
    """A call that was written as text, with what it would write or run unescaped."""
    path, content, command = arguments.get("path"), arguments.get("content"), arguments.get("command")
    if name == "write_file" and isinstance(path, str) and isinstance(content, str):
        arguments = arguments | {"content": mended(path, content)}
    if name == "shell" and isinstance(command, str):
        arguments = arguments | {"command": mended_command(command)}
    return action(name, arguments, WRITTEN)
