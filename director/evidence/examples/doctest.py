"""Sessions of Python's prompt: ``>>> f(2)``, and on the next line what it shows."""

import re

from director.evidence.examples.example import Example
from director.evidence.examples.literal import read_call, read_literal
from director.evidence.examples.statement import statements

PROMPT = ">>> "
ENDS = ("```", '"""', "'''")
MAX_OUTPUT_LINES = 40
TRACEBACK = "Traceback (most recent call last):"
RAISED = re.compile(r"([A-Za-z_][\w.]*)(?::|$)")


def is_prompt(line: str) -> bool:
    """Whether a session's step begins on a line."""
    return line.lstrip().startswith(PROMPT)


def step(lines: list[str], at: int) -> tuple[Example | None, int]:
    """The example in the step that begins at a line, if it is one, and the line after the step."""
    indent = len(lines[at]) - len(lines[at].lstrip())
    source = lines[at].strip().removeprefix(PROMPT)
    at += 1
    while at < len(lines) and lines[at].lstrip().startswith("... "):
        source += " " + lines[at].lstrip()[4:]
        at += 1
    first = at
    while at < len(lines) and at - first < MAX_OUTPUT_LINES and _is_output(lines[at]):
        at += 1
    shown = [line[indent:] for line in lines[first:at]]
    source = source.split("  #", 1)[0].strip()
    return _example(source, shown), at


def _is_output(line: str) -> bool:
    return bool(line.strip()) and not is_prompt(line) and not line.lstrip().startswith(ENDS)


def _example(source: str, shown: list[str]) -> Example | None:
    call = read_call(source)
    if call is None:
        told = list(statements(source)) if [line.strip() for line in shown] == ["True"] else []
        return told[0] if len(told) == 1 else None
    if shown and shown[0].strip() == TRACEBACK:
        raised = RAISED.match(shown[-1].strip())
        return call.model_copy(update={"raises": raised.group(1).rpartition(".")[2]}) if raised else None
    expected = read_literal("\n".join(shown))
    return call.model_copy(update={"expected": expected}) if expected is not None else None
