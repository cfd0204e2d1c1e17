"""One contract, two sandboxes: files that are looked at, and connections."""

from tests.sandbox.look_contract import ChangesContract, CollectContract, StatContract
from tests.sandbox.relay_contract import ConnectContract, ListenContract


class TestStat(StatContract):
    """What is at a path."""


class TestChanges(ChangesContract):
    """Which files changed."""


class TestCollect(CollectContract):
    """Files by name."""


class TestListen(ListenContract):
    """Connections out."""


class TestConnect(ConnectContract):
    """Connections in."""
