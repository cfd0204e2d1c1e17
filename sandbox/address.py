"""Where engines are, and how many sandboxes are kept ready: what a person may set, read from text."""

from domain.base import Value
from domain.errors import UsageError
from sandbox.base import SandboxRequest

MOST_READY = 64


class EngineAddress(Value):
    """An engine: its DOCKER_HOST URL (None for the default one), and its share of the load beside the others."""

    host: str | None = None
    weight: float = 1.0


def read_engines(text: str | None) -> tuple[EngineAddress, ...]:
    """``URL[=WEIGHT],URL[=WEIGHT]...``; the default engine when there is no text. UsageError."""
    found = []
    for part in (text or "").split(","):
        host, equals, weight = part.strip().rpartition("=")
        if not equals:
            host, weight = weight, "1"
        if (equals and not host) or not part.strip().isprintable():
            raise UsageError(f"DOCKER_HOST cannot be used: {part.strip()!a}. Write it like URL=WEIGHT,URL=WEIGHT.")
        if host:
            found.append(EngineAddress(host=host, weight=_positive(weight, "DOCKER_HOST", part)))
    return tuple(found) or (EngineAddress(),)


def read_pool(text: str, isolation: str = "runc") -> dict[SandboxRequest, int]:
    """``LANGUAGE/PROFILE[/ISOLATION]=COUNT,...``: how many sandboxes of a kind are kept ready. UsageError.

    Where no isolation is named, it is ``isolation``.
    """
    sizes: dict[SandboxRequest, int] = {}
    for part in text.split(","):
        if not part.strip():
            continue
        kind, _, count = part.strip().partition("=")
        names = kind.split("/")
        size = _positive(count, "SOUNDSTAGE_POOL", part) if count != "0" else 0.0
        if not 2 <= len(names) <= 3 or not part.strip().isprintable() or size != int(size) or size > MOST_READY:
            raise UsageError(
                f"SOUNDSTAGE_POOL cannot be used: {part.strip()!r}. Write it like python/default=2, with up to "
                f"{MOST_READY} of a kind."
            )
        kinds = {"isolation": isolation} | dict(zip(("language", "profile", "isolation"), names, strict=False))
        sizes[SandboxRequest(task_id="", purpose="pool", **kinds)] = int(size)
    return sizes


def _positive(text: str, variable: str, part: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise UsageError(f"{variable} cannot be used: {part.strip()!r}. After = comes a number above 0.")
    return number
