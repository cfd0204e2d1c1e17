"""The arguments of a tool call, as models really write them."""

import json
from typing import Any

MAX_CHARACTERS = 2_000_000
MAX_REPAIRED = 100_000
MAX_NESTED = 5_000
"""Characters and brackets up to which a repair takes no time that anybody notices."""


class MalformedArguments(ValueError):
    """The arguments are no JSON object, and cannot be read as one."""


def parse_arguments(text: str) -> dict[str, Any]:
    """The JSON object in ``text``, repaired where that is possible; MalformedArguments when it is not."""
    if not text.strip():
        return {}
    if len(text) > MAX_CHARACTERS:
        raise MalformedArguments("the arguments are too long; write less at a time")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = _repair(text)
    if isinstance(found, str):
        # Some models encode the object twice.
        return parse_arguments(found) if found != text and found.strip().startswith("{") else _refuse(text)
    return found if isinstance(found, dict) else _refuse(text)


def valid_json(text: str) -> str:
    """The arguments as a JSON object that any server accepts in a history: as they are, repaired, or else empty."""
    try:
        found = json.loads(text, parse_constant=_no_constant)
        return text if isinstance(found, dict) else "{}"
    except (ValueError, RecursionError):
        pass
    try:
        return json.dumps(parse_arguments(text), allow_nan=False)
    except (ValueError, RecursionError):
        return "{}"


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _repair(text: str) -> Any:
    if len(text) > MAX_REPAIRED or text.count("{") + text.count("[") > MAX_NESTED:
        return None
    import json_repair

    try:
        return json_repair.loads(text)
    except (ValueError, RecursionError):
        return None


def _refuse(text: str) -> dict[str, Any]:
    raise MalformedArguments(f"the arguments are no JSON object: {text[:200]!r}")
