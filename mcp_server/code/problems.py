"""Syntax problems, and whether an edit brought them."""

import tree_sitter

from domain.text import plain
from mcp_server.code.grammar import problem_query
from mcp_server.code.languages import language_of
from mcp_server.code.parsing import Found, matches, parse
from mcp_server.code.symbol import Problem

MAX_PROBLEMS = 5
AROUND_LINES = 2
LINE_CHARACTERS = 160


def syntax_problems(path: str, source: bytes) -> tuple[Problem, ...] | None:
    """Where the syntax of a file is broken, the first few places; () where it is in order.

    None for a language that we do not read, and for a source that is too large or too slow.
    """
    language = language_of(path)
    tree = parse(language, source) if language is not None else None
    if language is None or tree is None:
        return None
    if not tree.root_node.has_error:
        return ()
    found = matches(problem_query(language), tree)
    lines = source.decode("utf-8", "replace").split("\n")
    return tuple(Problem(row + 1, _region(lines, row)) for row in _rows(source, found)[:MAX_PROBLEMS])


def broken_by(path: str, before: bytes, after: bytes) -> tuple[Problem, ...]:
    """The problems of a file that was in order before an edit; () where the edit may be made.

    A file that never parsed stays editable, and so does one in a language whose grammar cannot tell for certain.
    """
    language = language_of(path)
    if language is None or not language.exact or syntax_problems(path, before) != ():
        return ()
    return syntax_problems(path, after) or ()


def _rows(source: bytes, found: list[Found]) -> list[int]:
    """The rows of the problems, less those that are seen in the region of another one.

    That most of the file is an error says nothing where there are errors inside of it.
    """
    nodes = [node for each in found for group in each.nodes.values() for node in group]
    small = [node for node in nodes if node.end_byte - node.start_byte <= len(source) / 2]
    shown: list[int] = []
    for row in sorted(_row(source, node) for node in small or nodes) or [0]:
        if not shown or row > shown[-1] + AROUND_LINES:
            shown.append(row)
    return shown


def _row(source: bytes, node: tree_sitter.Node) -> int:
    """The row of the first thing in a node that is no white space."""
    text = source[node.start_byte : node.end_byte]
    return node.start_point.row + text[: len(text) - len(text.lstrip())].count(b"\n")


def _region(lines: list[str], row: int) -> str:
    first, last = max(0, row - AROUND_LINES), row + AROUND_LINES + 1
    return "\n".join(
        f"{at:6}\t{plain(line[:LINE_CHARACTERS])}" for at, line in enumerate(lines[first:last], start=first + 1)
    )
