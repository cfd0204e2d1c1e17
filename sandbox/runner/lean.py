"""What the runner needs of ``contextlib``, ``json`` and ``signal``, without the milliseconds that importing them costs.

Every cold start of a sandbox waits for the runner's imports; so what is wanted before the first request comes from C
modules, and whatever else is imported when it is first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any
else:
    # The same without the enumerations.
    import _signal as signal

__all__ = ["Suppress", "dumps", "loads", "signal"]

SAMPLE = {"text": '\u00e9\ud800"\\\n', "numbers": [1, -2.5, 1e300], "others": [True, False, None, {}, []]}


class Suppress:
    """Passes over exceptions of these kinds."""

    def __init__(self, *kinds: type[BaseException]) -> None:
        self._kinds = kinds

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> bool:
        return kind is not None and issubclass(kind, self._kinds)


class _Rules:
    """What the C scanner asks for."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int, parse_constant = float, int, float


def _from_c() -> tuple[Callable[[str], Any], Callable[[Any], str]]:
    from _json import encode_basestring_ascii, make_encoder, make_scanner

    rules: Any = _Rules()
    scan = make_scanner(rules)
    encode = make_encoder(None, repr, encode_basestring_ascii, None, ": ", ", ", False, False, True)
    return (lambda text: scan(text, 0)[0]), (lambda value: "".join(encode(value, 0)))


def _codec() -> tuple[Callable[[str], Any], Callable[[Any], str]]:
    """Reading and writing JSON: by the C parts of ``json`` alone where they are as we know them."""
    try:
        loads, dumps = _from_c()
        if loads(dumps(SAMPLE)) == SAMPLE:
            return loads, dumps
    except Exception:  # noqa: BLE001, S110 - an interpreter whose C parts are different has the module itself
        pass
    import json

    return json.loads, json.dumps


_loads, _dumps = _codec()


def loads(data: bytes) -> Any:
    """The value of a JSON text; ValueError."""
    try:
        return _loads(data.decode())
    except StopIteration:
        raise ValueError("this is no JSON") from None


def dumps(value: Any) -> bytes:
    """The value as JSON."""
    return _dumps(value).encode()
