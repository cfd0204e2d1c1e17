"""One contract, two sandboxes: the real one in Docker and the fake."""

from tests.sandbox.contract import CommandContract, EndContract
from tests.sandbox.file_contract import FetchContract, PutContract


class TestCommands(CommandContract):
    """Commands."""


class TestEnds(EndContract):
    """Commands that must be ended."""


class TestPut(PutContract):
    """Files on their way in."""


class TestFetch(FetchContract):
    """Files on their way out."""
