"""The form of a request by which a replay finds it again: what differs from run to run is masked."""

import functools
import itertools
import re
from collections.abc import Iterator, Sequence

from pydantic import JsonValue

from domain.chat import EmbeddingRequest, ModelRequest
from gateway.sanitiser import sanitised

STRICTEST = "mistral"
"""The provider whose rules leave the least freedom: a form does not depend on the rules of the one that was asked."""

MASKS = (
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b1[6-9]\d{8}\.\d{3,}\b"), "<time>"),
    (re.compile(r"\b\d+(?:\.\d+)?(?:e-?\d+)? ?(?:ns|µs|us|ms|s|sec|seconds?|minutes?)\b"), "<time>"),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{12,64}\b"), "<id>"),
    (re.compile(r"\b0x[0-9a-f]{6,16}\b"), "<address>"),
    (re.compile(r"\b(localhost|127\.0\.0\.1):\d+\b"), r"\1:<port>"),
    (re.compile(r"(?<=/tmp/)[\w.-]+|\btmp[a-z0-9_]{8}\b|\bpytest-\d+\b"), "<temporary>"),
)
"""Times and durations, ids of tasks, containers and leases, addresses, ports, and names of temporary files."""

EXCERPT = 60


Form = tuple[tuple[str, str], ...]
"""The values of a request in their order: the place of each, and the value as text."""


def form_of(request: ModelRequest | EmbeddingRequest) -> Form:
    """The form of a request: equal for two of the same sense."""
    if isinstance(request, ModelRequest):
        request = sanitised(request, STRICTEST)
    return tuple(_leaves(request.model_dump(mode="json"), ""))


def alike(first: Form, second: Form) -> tuple[int, int]:
    """How far two forms are the same: in whole values, and in characters of the first one that differs."""
    same = _same(first, second)
    return same, _same(_at(first, same)[1], _at(second, same)[1])


def difference(recorded: Form, asked: Form) -> str:
    """Where two forms differ first, in words."""
    same, characters = alike(recorded, asked)
    start = max(0, characters - EXCERPT // 3)
    found = [_at(form, same) for form in (recorded, asked)]
    before, now = (repr(text[start : start + EXCERPT]) if place else "nothing" for place, text in found)
    return f"{found[1][0] or found[0][0]} at character {characters}: recorded {before}, asked {now}"


@functools.lru_cache(maxsize=4096)
def masked(text: str) -> str:
    """The text without what differs from run to run. What was said stays in the requests that follow: so it is kept."""
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return text


def _at(form: Form, index: int) -> tuple[str, str]:
    return form[index] if index < len(form) else ("", "")


def _same(first: Sequence[object], second: Sequence[object]) -> int:
    pairs = zip(first, second, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _leaves(value: JsonValue, place: str) -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for name, item in value.items():
                yield from _leaves(item, f"{place}.{name}" if place else name)
        case list():
            for index, item in enumerate(value):
                yield from _leaves(item, f"{place}[{index}]")
        case str():
            yield place, masked(value)
        case _:
            yield place, repr(value)
