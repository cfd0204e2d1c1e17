"""The arguments of a tool call, as models really write them."""

import json
import re
from typing import Any

from pydantic_core import from_json

from domain.text import well_formed

MAX_CHARACTERS = 2_000_000
MAX_REPAIRED = 100_000
MAX_NESTED = 5_000
"""Characters and brackets up to which a repair takes no time that anybody notices."""

NUL = "\\u0000"
ESCAPED_NUL = re.compile(r"(\\\\)|\\u0000")
"""A NUL in JSON, or else an escaped backslash, which must not be taken for the beginning of one."""


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
    if NUL not in text:
        try:
            # It takes what the standard has and no more: no NaN, no half of a surrogate pair.
            if isinstance(from_json(text, allow_inf_nan=False), dict):
                return text
        except ValueError:
            pass
    try:
        made = json.dumps(parse_arguments(text), allow_nan=False, ensure_ascii=False)
    except (ValueError, RecursionError):
        return "{}"
    return well_formed(ESCAPED_NUL.sub(lambda found: found[1] or "", made))


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
