"""The keys of one provider: which of them is used next."""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from domain.base import Value
from domain.errors import ModelAuthenticationFailed
from domain.secrets import ProviderKey

FIRST_REST_S, LONGEST_REST_S = 1.0, 60.0
"""How long a key rests when the provider does not say: the first time, doubled each time, and at most."""

LONGEST_RETRY_AFTER_S = 86_400.0


class KeyChoice(Value):
    """A key to use, and in how many seconds; 0 is at once."""

    key: ProviderKey
    wait_s: float = 0.0


class KeyState(Value):
    """How a key stands: ``refused`` says why the provider does not take it, ``rests_s`` how long it rests yet."""

    id: str
    refused: str = ""
    rests_s: float = 0.0


@dataclass
class _Rest:
    strikes: int = 0
    until: float = -math.inf


@dataclass
class _Standing:
    key: ProviderKey
    refused: str = ""
    rests: defaultdict[str, _Rest] = field(default_factory=lambda: defaultdict(_Rest))


class KeyRing:
    """Keys in the order in which they are preferred; one that is there twice counts once.

    A key that is limited for a model rests for that model, since providers limit by model; one that is refused is set
    aside until the process ends. The others are used meanwhile. ``now`` is a monotonic clock in seconds.
    """

    def __init__(self, provider: str, keys: Sequence[ProviderKey], now: Callable[[], float] = time.monotonic) -> None:
        self.provider = provider
        self._standing: dict[str, _Standing] = {}
        for key in keys:
            self._standing.setdefault(key.id, _Standing(key))
        self._now = now

    @property
    def keys(self) -> tuple[ProviderKey, ...]:
        """All of them, in order."""
        return tuple(standing.key for standing in self._standing.values())

    def next(self, model: str, load: Callable[[str], int] = lambda _: 0) -> KeyChoice:
        """The first key that is free for a model and has the least load, else the one that is free soonest.

        ModelAuthenticationFailed when all are set aside, or there is none: its message says why, key by key.
        """
        waits = {name: self._wait(name, model) for name, standing in self._standing.items() if not standing.refused}
        if not waits:
            why = "; ".join(f"{name}: {one.refused}" for name, one in self._standing.items()) or "there was none"
            raise ModelAuthenticationFailed(
                f"There is no API key left for {self.provider} ({why}). Add one: soundstage keys add {self.provider}"
            )
        soonest = min(waits, key=lambda name: (waits[name], load(name)))
        return KeyChoice(key=self._standing[soonest].key, wait_s=waits[soonest])

    def free(self, key_id: str, model: str) -> bool:
        """Whether a key may be used for a model now."""
        return not self._standing[key_id].refused and not self._wait(key_id, model)

    def limited(self, key_id: str, model: str, retry_after_s: float | None = None) -> float:
        """The provider limits the rate of this key for a model (429): it rests. Returns for how many seconds yet.

        Answers to calls that were under way together count as one limit.
        """
        rest, now = self._standing[key_id].rests[model], self._now()
        resting = now < rest.until
        if retry_after_s is not None and not math.isnan(retry_after_s):
            pause = min(max(retry_after_s, 0.0), LONGEST_RETRY_AFTER_S)
        else:
            pause = 0.0 if resting else min(LONGEST_REST_S, FIRST_REST_S * 2.0 ** min(rest.strikes, 64))
        rest.strikes += not resting
        rest.until = max(rest.until, now + pause)
        return self._wait(key_id, model)

    def refused(self, key_id: str, reason: str) -> None:
        """The provider does not take this key (401, 403, no credit): it is set aside. ``reason`` is shown."""
        self._standing[key_id].refused = reason or "refused"

    def worked(self, key_id: str, model: str) -> None:
        """A call with this key succeeded. What the answer to another call said stays in force."""
        if not self._wait(key_id, model):
            self._standing[key_id].rests.pop(model, None)

    def states(self, model: str) -> tuple[KeyState, ...]:
        """How every key stands for a model, in order."""
        return tuple(
            KeyState(id=name, refused=one.refused, rests_s=self._wait(name, model))
            for name, one in self._standing.items()
        )

    def _wait(self, key_id: str, model: str) -> float:
        rest = self._standing[key_id].rests.get(model)
        return 0.0 if rest is None else max(0.0, rest.until - self._now())
