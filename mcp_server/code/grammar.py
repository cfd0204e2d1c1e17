"""Grammars and compiled queries, loaded when a file of the language is read for the first time."""

from functools import cache
from importlib import import_module
from pathlib import Path

import tree_sitter

from mcp_server.code.languages import Language

QUERIES = Path(__file__).with_name("queries")
PROBLEMS = "(ERROR) @error (MISSING) @missing"


@cache
def grammar(language: Language) -> tree_sitter.Language:
    """The parser's tables for a language."""
    module, function = language.grammar.split(":")
    return tree_sitter.Language(getattr(import_module(module), function)())


@cache
def tag_query(language: Language) -> tree_sitter.Query:
    """What finds definitions and references. The patterns' captures are told in ``mcp_server.code.reading``."""
    texts = [(QUERIES / f"{name}.scm").read_text(encoding="utf-8") for name in language.queries]
    return tree_sitter.Query(grammar(language), "\n".join(texts))


@cache
def problem_query(language: Language) -> tree_sitter.Query:
    """What finds the places that the parser could make no sense of."""
    return tree_sitter.Query(grammar(language), PROBLEMS)
