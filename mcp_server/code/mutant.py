"""A small wrong change of a source file, by which tests are tried: do they notice it?"""

from typing import NamedTuple


class Mutant(NamedTuple):
    """The bytes from ``start`` to ``end`` of a file become ``replacement``. ``operator`` is the sort of change,
    ``line`` counts from 1, and ``what`` tells it to a person."""

    operator: str
    line: int
    start: int
    end: int
    replacement: str
    what: str

    def applied(self, source: bytes) -> bytes:
        """The file with the change."""
        return source[: self.start] + self.replacement.encode() + source[self.end :]
