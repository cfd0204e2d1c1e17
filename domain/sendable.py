"""What every provider takes for a call of a tool."""

import json
import re

NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")
LONGEST_NAME = 64


def sendable_name(name: str) -> str:
    """The name of a tool as every provider takes it."""
    return NOT_IN_NAMES.sub("_", name)[:LONGEST_NAME] or "unnamed"


def is_object(text: str) -> bool:
    """Whether a text is a JSON object that can be encoded."""
    try:
        found = json.loads(text, parse_constant=_refuse)
        if "\\ud" in text.lower():
            # Half a surrogate pair, once it is read, cannot be sent.
            json.dumps(found, ensure_ascii=False).encode()
        return isinstance(found, dict)
    except (ValueError, RecursionError):
        return False


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
