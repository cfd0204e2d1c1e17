"""One contract, two sandboxes: commands side by side, signals, odd ones, input, usage."""

from tests.sandbox.side_contract import (
    CancelContract,
    InputContract,
    OddContract,
    SideContract,
    SignalContract,
    UsageContract,
)


class TestSideBySide(SideContract):
    """Commands at the same time."""


class TestSignals(SignalContract):
    """Signals."""


class TestOdd(OddContract):
    """Odd commands."""


class TestInput(InputContract):
    """Input."""


class TestCancel(CancelContract):
    """Callers who go away."""


class TestUsage(UsageContract):
    """What a command used."""
