"""Patterns of model ids: an id itself, or a glob for a family of models."""

from collections.abc import Iterable
from fnmatch import fnmatchcase


def best_fit(patterns: Iterable[str], model: str) -> str | None:
    """The pattern that is the id itself, else the longest glob that fits, else None. Capitals do not matter."""
    name = model.lower()
    fitting = [one for one in patterns if one.lower() == name or fnmatchcase(name, one.lower())]
    return max(fitting, key=lambda one: (one.lower() == name, len(one), one), default=None)


def is_family(pattern: str) -> bool:
    """Whether a pattern may stand for more than one model."""
    return any(sign in pattern for sign in "*?[")
