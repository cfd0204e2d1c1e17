"""The arguments of a tool call, as models really write them."""

import json
import re
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from domain.text import well_formed

MAX_CHARACTERS = 2_000_000
MAX_REPAIRED = 100_000
MAX_NESTED = 5_000
"""Characters and brackets up to which a repair takes no time that anybody notices."""

TRIPLE = re.compile(r'(["\']\w{1,64}["\']\s{0,20}:\s{0,20})"""(.*?)"""(?=\s{0,20}[,}])', re.DOTALL)
BACKTICKS = re.compile(r"([\"']\w{1,64}[\"']\s{0,20}:\s{0,20})`([^`]*)`(?=\s{0,20}[,}])")
"""Values in quotes that JSON does not have."""
ESCAPED = re.compile(r"\\.", re.DOTALL)
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\Z)|\\.|[{}\[\]]|,(?=\s{0,100}(?:[}\]]|$))', re.DOTALL)
CLOSING = {"{": "}", "[": "]"}
FENCE = re.compile(r"\s*```\w{0,10}\s|\s*```\s*$")

NUL = "\\u0000"
ESCAPED_NUL = re.compile(r"(\\\\)|\\u0000")
"""A NUL in JSON, or else an escaped backslash, which must not be taken for the beginning of one."""


@dataclass(frozen=True)
class Read:
    """What a JSON text says; ``repaired`` where it had to be put right."""

    value: Any
    repaired: bool = False


class MalformedArguments(ValueError):
    """The arguments are no JSON object, and cannot be read as one."""


def parse_arguments(text: str) -> dict[str, Any]:
    """The JSON object in ``text``, repaired where that is possible; MalformedArguments when it is not."""
    found = read_arguments(text).value
    assert isinstance(found, dict)
    return found


def read_arguments(text: str) -> Read:
    """The JSON object in ``text``, and whether it was repaired; MalformedArguments when it is none."""
    if not text.strip():
        return Read({})
    read = read_json(text)
    if isinstance(read.value, str) and read.value != text and read.value.strip().startswith("{"):
        # Some models encode the object twice.
        return Read(read_arguments(read.value).value, repaired=True)
    if not isinstance(read.value, dict):
        raise MalformedArguments(f"the arguments are no JSON object: {text[:200]!r}")
    return read


def read_json(text: str) -> Read:
    """The JSON value in ``text``, repaired where that guesses nothing; MalformedArguments when it is none.

    A string that never ends is not repaired: what was to follow is not known, and half a file must not be written.
    """
    if len(text) > MAX_CHARACTERS:
        raise MalformedArguments("the arguments are too long; write less at a time")
    try:
        return Read(json.loads(text))
    except (ValueError, RecursionError):
        pass
    try:
        return Read(json.loads(text, strict=False), repaired=True)
    except (ValueError, RecursionError):
        pass
    if is_cut_off(text):
        raise MalformedArguments("the arguments break off in the middle; write less at a time")
    try:
        # json_repair trims the ends of strings; what lacks a bracket or has a comma too many needs no such thing.
        return Read(json.loads(_closed(text), strict=False), repaired=True)
    except (ValueError, RecursionError):
        return Read(_joined(_repair(text)), repaired=True)


def is_cut_off(text: str) -> bool:
    """Whether a JSON object or list breaks off within a value: it lacks more than closing brackets."""
    bare = FENCE.sub("", text).rstrip(" \t\r\n;,")
    if not bare.lstrip().startswith(("{", "[")):
        return False
    quote = '"' if '"' in bare else "'"
    # Without escapes, a string is open where the number of quotes is odd.
    parts = ESCAPED.sub("", bare).split(quote)
    if len(parts) % 2 == 0:
        # A quote too many somewhere is no cut where the last one ends a value and brackets alone follow it.
        begins = parts[-2].rstrip().endswith((":", ",", "[", "{"))
        return begins or not bare.endswith(("}", "]")) or bool(parts[-1].strip(" \t\r\n}]`"))
    return not bare.endswith(("}", "]", '"', "'", "`"))


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

    text = TRIPLE.sub(_as_json, text) if '"""' in text else text
    text = BACKTICKS.sub(_as_json, text) if "`" in text else text
    try:
        return json_repair.loads(text)
    except (ValueError, RecursionError):
        return None


def _closed(text: str) -> str:
    """The text without commas before closing brackets, and with the brackets that it lacks at its end."""
    text = TOKEN.sub(lambda found: "" if found[0] == "," else found[0], FENCE.sub("", text))
    waiting: list[str] = []
    for found in TOKEN.finditer(text):
        if found[0] in CLOSING:
            waiting.append(CLOSING[found[0]])
        elif waiting and found[0] == waiting[-1]:
            waiting.pop()
    return text + "".join(reversed(waiting))


def _joined(value: Any) -> Any:
    """The value with the halves of characters joined in its strings, which json_repair leaves apart."""
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, dict):
        return {well_formed(key): _joined(part) for key, part in value.items()}
    return [_joined(part) for part in value] if isinstance(value, list) else value


def _as_json(found: "re.Match[str]") -> str:
    return found[1] + json.dumps(found[2])
