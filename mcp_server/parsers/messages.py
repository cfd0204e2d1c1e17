"""What the service and a worker say to each other over a pair of pipes.

A request is a line of JSON and then the sources, one after the other; a reply is its length in four bytes and then
JSON. Nothing that a worker sends is trusted: its memory may be in the hands of the source that it read.
"""

import json
from typing import BinaryIO, Literal, NamedTuple

Ask = Literal["tags", "problems", "broken", "mutants"]
"""``tags``, ``problems`` or ``mutants`` of one source; ``broken``: the problems of the second source if the first one
has none."""

LENGTH_BYTES = 4
READY = b'"ready"'


class Request(NamedTuple):
    """What is asked about one or two versions of a file."""

    ask: Ask
    path: str
    sources: tuple[bytes, ...]

    def encode(self) -> bytes:
        """The request as it is sent."""
        head = json.dumps([self.ask, self.path, [len(source) for source in self.sources]])
        return b"".join((head.encode(), b"\n", *self.sources))


def read_request(stream: BinaryIO) -> Request | None:
    """The next request; None at the end."""
    head = stream.readline()
    if not head:
        return None
    ask, path, sizes = json.loads(head)
    return Request(ask, path, tuple(stream.read(size) for size in sizes))


def frame(reply: bytes) -> bytes:
    """A reply as it is sent."""
    return len(reply).to_bytes(LENGTH_BYTES, "big") + reply
