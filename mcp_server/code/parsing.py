"""Parsing within limits."""

import time
from typing import NamedTuple

import tree_sitter

from mcp_server.code.grammar import grammar
from mcp_server.code.languages import MAX_SOURCE_BYTES, Language

MAX_CPU_S = 1.0
"""For parsing. The parser asks seldom while it recovers from errors, and may take longer then."""

MAX_OPEN_MATCHES = 10_000
CHUNK_BYTES = 2**16

Match = dict[str, list[tree_sitter.Node]]


class Found(NamedTuple):
    """What a query found: the number of a pattern, and the nodes that it captured by name."""

    pattern: int
    nodes: Match


def parse(language: Language, source: bytes) -> tree_sitter.Tree | None:
    """The syntax tree, whatever the bytes are; None where the source is too large, or takes too long."""
    if len(source) > MAX_SOURCE_BYTES:
        return None
    deadline = time.process_time() + MAX_CPU_S
    parser = tree_sitter.Parser(grammar(language))
    try:
        return parser.parse(
            lambda offset, _: source[offset : offset + CHUNK_BYTES],
            progress_callback=lambda *_: time.process_time() > deadline,
        )
    except ValueError:
        return None


def matches(query: tree_sitter.Query, tree: tree_sitter.Tree) -> list[Found]:
    """What a query finds in a tree, in no particular order.

    It has no time limit of its own: the binding (0.26.1) keeps a dangling pointer to the progress callback of a query.
    """
    cursor = tree_sitter.QueryCursor(query, match_limit=MAX_OPEN_MATCHES)
    return [Found(*each) for each in cursor.matches(tree.root_node)]
