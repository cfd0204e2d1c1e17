"""Sample projects, as data: a file of text for each, in which marks say what must be seen.

A sample begins with lines ``OUTCOME ID`` that a test run must show, then comes each file after a line ``>>> PATH``.
In a file, ``HERE``, ``HERE KIND``, ``COVERED`` and ``MISSED`` mark lines.
"""

import re
from pathlib import Path

from domain.base import Value
from domain.files import File, TreeChange

SAMPLES = Path(__file__).parent / "samples"


class Place(Value):
    """A line of a file, from 1."""

    path: str
    line: int


class Sample(Value):
    """Files, and the outcomes that are expected by test id."""

    expected: dict[str, str]
    files: dict[str, str]

    @property
    def change(self) -> TreeChange:
        """The files, to be put into a sandbox."""
        return TreeChange(written={path: File(content=text.encode()) for path, text in self.files.items()})

    def named(self, outcome: str) -> list[str]:
        """The ids that are expected to end so."""
        return [test_id for test_id, expected in self.expected.items() if expected == outcome]

    def marked(self, mark: str) -> list[Place]:
        """The lines that end with the mark."""
        return [
            Place(path=path, line=number)
            for path, text in self.files.items()
            for number, line in enumerate(text.splitlines(), 1)
            if re.search(rf"(#|//) {mark}$", line)
        ]


def sample(language: str, name: str) -> Sample:
    """The sample of that name."""
    head, *parts = re.split(r"^>>> ", (SAMPLES / language / f"{name}.tree").read_text(encoding="utf-8"), flags=re.M)
    expected = {line.split(" ", 1)[1]: line.split(" ", 1)[0] for line in head.splitlines()}
    files = dict(part.split("\n", 1) for part in parts)
    return Sample(expected=expected, files=files)
