"""The values of literals, for languages other than the one they were read in."""

import ast
from collections.abc import Callable

from director.evidence.examples.example import Example

Literal = object
"""What ``ast.literal_eval`` gives."""


class NoValue(ValueError):
    """A language has no such value."""


def whole(example: Example, written: Callable[[Literal], str]) -> bool:
    """Whether every value of an example can be written."""
    try:
        for text in (*example.arguments, *((example.expected,) if example.expected else ())):
            written(ast.literal_eval(text))
    except (NoValue, ValueError, TypeError, RecursionError, MemoryError):
        return False
    return True
