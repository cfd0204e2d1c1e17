"""Tool calls written as calls in a programming language: ``write_file(path="a.py", content="...")``."""

import ast
import re
from collections.abc import Iterator
from typing import Any

from specialists.reading.action import Action
from specialists.reading.json_calls import Place, sole, written
from specialists.reading.known_tools import KnownTools
from specialists.reading.mending import parsed

OPENING = re.compile(
    r"^[ \t>*-]{0,20}(?:\[TOOL_CALLS\]|<\|python_tag\|>|<tool_call>)?[ \t]*(?:\w{1,20}[ \t]?=[ \t]?|print\(|\[|`)?"
    r"((?:[A-Za-z_]\w{0,40}\.)?[A-Za-z_]\w{0,63})\(",
    re.MULTILINE,
)
REST = re.compile(r"[)\]`;,. \t]{0,8}(?:$|</|<\|)", re.MULTILINE)
MOST_TRIES = 8
QUOTES = ('"""', "'''", '"', "'")


def calls(text: str, tools: KnownTools) -> Iterator[Place]:
    """The calls in a text that begin a line and end one, each with its place. Their arguments must be literals."""
    end = tries = 0
    for found in OPENING.finditer(text):
        name = tools.resolve(found[1])
        if found.start() < end or name not in tools or tries >= MOST_TRIES:
            continue
        tries += 1
        closed = _closed(text, found.end())
        if closed is None:
            continue
        code, after = closed
        arguments = _arguments(f"call({code}", name, tools)
        if arguments is not None and (rest := REST.match(text, after)):
            tries -= 1
            end = rest.end()
            yield found.start(), end, (written(name, arguments),)


def whole(body: str, tools: KnownTools) -> tuple[Action, ...]:
    """The calls of a block that is Python and consists of calls of tools alone, printed or not, or in a list."""
    module = parsed(body.strip())
    if module is None:
        return sole(list(calls(body, tools)), body)
    made: list[Action] = []
    for statement in module.body:
        expressions = _expressions(statement)
        for expression in expressions:
            one = _call(expression, tools)
            if one is None:
                return ()
            made.append(one)
        if not expressions:
            return ()
    return tuple(made)


def _expressions(statement: ast.stmt) -> list[ast.expr]:
    if not isinstance(statement, ast.Expr):
        return []
    value = statement.value
    return list(value.elts) if isinstance(value, ast.List | ast.Tuple) else [value]


def _call(expression: ast.expr, tools: KnownTools) -> Action | None:
    if not isinstance(expression, ast.Call):
        return None
    name = ast.unparse(expression.func) if isinstance(expression.func, ast.Name | ast.Attribute) else ""
    if name == "print" and len(expression.args) == 1 and not expression.keywords:
        return _call(expression.args[0], tools)
    name = tools.resolve(name)
    arguments = _literals(expression, name, tools) if name in tools else None
    return written(name, arguments) if arguments is not None else None


def _arguments(code: str, name: str, tools: KnownTools) -> dict[str, Any] | None:
    module = parsed(code)
    if module is None or len(module.body) != 1 or not isinstance(module.body[0], ast.Expr):
        return None
    call = module.body[0].value
    return _literals(call, name, tools) if isinstance(call, ast.Call) else None


def _literals(call: ast.Call, name: str, tools: KnownTools) -> dict[str, Any] | None:
    """The arguments of a call by their fields; None unless all are literals and the tool takes them."""
    fields = tools.required(name)
    if len(call.args) > len(fields) or any(keyword.arg is None for keyword in call.keywords):
        return None
    given = [*zip(fields, call.args, strict=False), *((keyword.arg or "", keyword.value) for keyword in call.keywords)]
    try:
        arguments = {field: ast.literal_eval(value) for field, value in given}
    except (ValueError, TypeError, RecursionError, MemoryError):
        return None
    known = arguments.keys() <= tools.fields(name).keys() and len(arguments) == len(given)
    return arguments if known else None


def _closed(text: str, at: int) -> tuple[str, int] | None:
    """The code up to the bracket that closes the call, with line ends in plain strings escaped, and where it ends."""
    code: list[str] = []
    depth = 1
    while at < len(text):
        quote = next((quote for quote in QUOTES if text.startswith(quote, at)), None)
        if quote is not None:
            end = _string_end(text, at + len(quote), quote)
            if end is None:
                return None
            said = text[at:end]
            code.append(said if len(quote) == 3 else said.replace("\n", "\\n"))
            at = end
            continue
        depth += (text[at] in "([{") - (text[at] in ")]}")
        code.append(text[at])
        at += 1
        if depth == 0:
            return "".join(code), at
    return None


def _string_end(text: str, at: int, quote: str) -> int | None:
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text.startswith(quote, at):
            return at + len(quote)
        else:
            at += 1
    return None
