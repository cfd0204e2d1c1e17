"""Literals and calls with literal arguments, read from text. Nothing is ever evaluated."""

import ast
import re
import warnings

from director.evidence.examples.example import Example

MAX_CHARACTERS = 500
CONSTANTS = {
    "true": True, "false": False, "True": True, "False": False,
    "null": None, "nil": None, "undefined": None, "None": None,
}  # fmt: skip
ATOM = re.compile(r"[-+]?(?:\d[\d_]*\.?\d*(?:[eE][-+]?\d+)?|\.\d+)|\b(?:" + "|".join(CONSTANTS) + r")\b")
CLOSING = {"(": ")", "[": "]", "{": "}"}
QUOTES = "\"'"


def read_literal(text: str) -> str | None:
    """The literal that the whole of a text is, in its plain form; None where it is none."""
    tree = _parse(text)
    return _plain(tree) if tree is not None else None


def read_call(text: str) -> Example | None:
    """The call that the whole of a text is, still without an outcome; None where not all arguments are literals."""
    call = _parse(text)
    if not isinstance(call, ast.Call):
        return None
    match call.func:
        case ast.Name(id=function):
            owner = ""
        case ast.Attribute(value=ast.Name(id=owner), attr=function):
            pass
        case _:
            return None
    arguments = [_plain(argument) for argument in call.args]
    keywords = [(keyword.arg, _plain(keyword.value)) for keyword in call.keywords]
    known = [text for text in arguments if text is not None]
    named = [(name, value) for name, value in keywords if name is not None and value is not None]
    if (len(known), len(named)) != (len(arguments), len(keywords)) or not (function + owner).isascii():
        return None
    return Example(function=function, owner=owner, arguments=tuple(known), keywords=tuple(named))


def literal_at(text: str) -> tuple[str, int] | None:
    """The literal that a text begins with, in its plain form, and where it ends."""
    end = 0
    if text[:1] in CLOSING or text[:1] in QUOTES:
        end = closed_at(text, 0)
    elif atom := ATOM.match(text):
        end = atom.end()
        end -= text[end - 1 : end] == "."  # the end of a sentence
    found = read_literal(text[:end]) if end else None
    return (found, end) if found is not None else None


def closed_at(text: str, start: int) -> int:
    """Where what opens at ``start``, a bracket or a quote, has been closed; 0 where it is not, or far away."""
    open_brackets: list[str] = []
    quote, at, end = "", start, min(len(text), start + MAX_CHARACTERS)
    while at < end:
        character = text[at]
        if quote:
            at += character == "\\"
            quote = "" if character == quote else quote
        elif character in QUOTES:
            quote = character
        elif character in CLOSING:
            open_brackets.append(CLOSING[character])
        elif character in CLOSING.values() and (not open_brackets or open_brackets.pop() != character):
            return 0
        at += 1
        if not quote and not open_brackets:
            return at if at <= end else 0
    return 0


def _parse(text: str) -> ast.expr | None:
    text = text.strip()
    if not text or len(text) > MAX_CHARACTERS:
        return None
    try:
        with warnings.catch_warnings(action="ignore"):
            return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _plain(node: ast.expr) -> str | None:
    try:
        plain = ast.unparse(_Constants().visit(node))
        ast.literal_eval(plain)
        return None if any(isinstance(part, ast.Constant) and part.value is ... for part in ast.walk(node)) else plain
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return None


class _Constants(ast.NodeTransformer):
    """What other languages call true, false and nothing; keys of objects that have no quotes."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(CONSTANTS[node.id]) if node.id in CONSTANTS else node

    def visit_Dict(self, node: ast.Dict) -> ast.expr:
        keys = [self.visit(key) if key is not None else None for key in node.keys]
        named = [ast.Constant(key.id) if isinstance(key, ast.Name) else key for key in keys]
        return ast.Dict(keys=named, values=[self.visit(value) for value in node.values])
