"""What the egress proxy let through and what it refused, as it is told afterwards."""

from enum import StrEnum

from domain.base import Value
from sandbox.egress.endpoint import Endpoint

MOST_KINDS = 256


class Outcome(StrEnum):
    """How a connection ended: passed on, refused by rule, not answered by the host, or cut at a limit."""

    PASSED = "passed"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    CUT = "cut"


class Contact(Value):
    """Connections to one host that ended alike; ``why`` is a sentence for all but those that were passed on.

    ``sent`` and ``received`` are bytes, seen from the sandbox.
    """

    host: str
    port: int
    outcome: Outcome
    why: str = ""
    connections: int = 0
    sent: int = 0
    received: int = 0


UNKNOWN = Endpoint(host="?", port=0)
"""In place of a host where a request named none that could be read."""
TOO_MANY = "Too many different hosts were asked for to tell them one by one."


class ContactBook:
    """Adds connections up, in bounded memory: past 256 kinds all others count as one for each outcome."""

    def __init__(self) -> None:
        self._contacts: dict[tuple[Endpoint, Outcome, str], Contact] = {}

    def add(self, endpoint: Endpoint, outcome: Outcome, why: str = "", sent: int = 0, received: int = 0) -> None:
        """Takes a finished connection in."""
        key = (endpoint, outcome, why)
        if key not in self._contacts and len(self._contacts) >= MOST_KINDS:
            key = (UNKNOWN, outcome, TOO_MANY)
        place, outcome, why = key
        known = self._contacts.get(key) or Contact(host=place.host, port=place.port, outcome=outcome, why=why)
        self._contacts[key] = known.model_copy(
            update={
                "connections": known.connections + 1,
                "sent": known.sent + sent,
                "received": known.received + received,
            }
        )

    def contacts(self) -> tuple[Contact, ...]:
        """What there was, in the order of its first appearance."""
        return tuple(self._contacts.values())
