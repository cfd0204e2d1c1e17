"""Names of tests that tell the example."""

import re

from director.evidence.examples.example import Example

NAME_CHARACTERS = 60
SIGNS = {"-": " minus ", ".": " point ", "+": " plus "}


def slug(example: Example) -> str:
    """The example in words of letters and digits, joined by underscores."""
    given = [*example.arguments, *(f"{name} {value}" for name, value in example.keywords)]
    outcome = f"raises {example.raises}" if example.raises else f"is {example.expected}"
    text = f"{example.function} of {' and '.join(given) or 'nothing'} {outcome}"
    text = re.sub(r"[-.+](?=\d)", lambda sign: SIGNS[sign.group()], text)
    words = re.findall(r"[A-Za-z0-9]+", text)
    return "_".join(words)[:NAME_CHARACTERS].strip("_") or "example"


class Numbered:
    """Gives each example a name that no other one has."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def name(self, example: Example) -> str:
        """The example's name, with a number where another one has it."""
        base, number = slug(example), 1
        name = base
        while name in self._taken:
            number += 1
            name = f"{base}_{number}"
        self._taken.add(name)
        return name
