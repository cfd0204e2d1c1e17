"""How much may go through the egress proxy."""

from pydantic import Field

from domain.base import Value
from sandbox.egress.refusal import LimitReached

MIB = 1024 * 1024


class EgressLimits(Value):
    """Limits of one phase. Times are seconds, sizes bytes.

    ``head_bytes`` and ``headers`` bound one request; ``connections`` are open at once, ``connections_in_all`` over the
    phase; ``bytes_in_all`` counts both directions of all of them; ``connection_s`` is a connection's whole life.
    """

    head_bytes: int = Field(default=16 * 1024, gt=0)
    headers: int = Field(default=64, gt=0)
    head_s: float = Field(default=15.0, gt=0)
    connect_s: float = Field(default=20.0, gt=0)
    idle_s: float = Field(default=60.0, gt=0)
    connection_s: float = Field(default=900.0, gt=0)
    connections: int = Field(default=64, gt=0)
    connections_in_all: int = Field(default=4096, gt=0)
    bytes_in_all: int = Field(default=2048 * MIB, gt=0)


class Allowance:
    """The bytes that are left for all connections together."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._left = size

    @property
    def exhausted(self) -> bool:
        """Whether somebody wanted more than there was."""
        return self._left < 0

    def take(self, size: int) -> None:
        """Counts bytes. LimitReached when there are none left."""
        self._left -= size
        if self._left < 0:
            self._left = -1
            raise LimitReached(
                f"More than {self._size} bytes went through the proxy. Install less, or raise the limit."
            )


class Meter:
    """Counts the bytes of one connection, seen from the sandbox, against the allowance of all."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self.sent = 0
        self.received = 0

    def send(self, size: int) -> None:
        """Counts bytes that leave the sandbox, before they do. LimitReached."""
        self._allowance.take(size)
        self.sent += size

    def receive(self, size: int) -> None:
        """Counts bytes that enter the sandbox, before they do. LimitReached."""
        self._allowance.take(size)
        self.received += size
