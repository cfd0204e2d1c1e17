"""Markdown tables of inputs and outputs for one function."""

import re

from director.evidence.examples.example import Example
from director.evidence.examples.literal import read_call, read_literal
from director.evidence.examples.mood import doubtful

ROW = re.compile(r"\s*\|.*\|\s*$")
RULE = re.compile(r"\s*\|(?:\s*:?-+:?\s*\|)+\s*$")
CELL = re.compile(r"(?<!\\)\|")
OUTPUT = re.compile(r"(?:expected\s*)?(?:output|result|returns?|returned|return value|value|expected)s?", re.IGNORECASE)
INPUT = re.compile(r"(?:input|argument|arg|parameter|call|expression|example)s?", re.IGNORECASE)
NAMED = re.compile(r"`([A-Za-z_]\w*)(?:\([^`()]*\))?`|\b([A-Za-z_]\w*)\([^()]*\)")
HEADED = re.compile(r"([A-Za-z_]\w*)\s*\([\w\s,]*\)")
RAISED = re.compile(r"(?:(?:raises?|throws?)\s+)?(?:an?\s+)?([A-Z]\w*(?:Error|Exception))")


def is_row(line: str) -> bool:
    """Whether a line is a row of a table."""
    return bool(ROW.match(line))


def read_table(lines: list[str], lead: str) -> list[Example]:
    """The examples in a table's lines; ``lead`` is what stands before it, and may name the function."""
    rows = [_cells(line) for line in lines]
    if len(rows) < 3 or not RULE.match(lines[1]) or len(rows[0]) < 2:
        return []
    *inputs, output = rows[0]
    headed = HEADED.fullmatch(output)
    if not headed and not OUTPUT.fullmatch(output):
        return []
    if len(inputs) > 1 and not all(name.isidentifier() for name in inputs):
        return []
    function = headed.group(1) if headed else _function(lead)
    found = [_row(function, row, bool(INPUT.fullmatch(inputs[0]))) for row in rows[2:] if len(row) == len(rows[0])]
    return [example for example in found if example is not None]


def _cells(line: str) -> list[str]:
    parts = CELL.split(line.strip()[1:-1])
    return [part.replace("\\|", "|").strip().strip("`").strip() for part in parts]


def _function(lead: str) -> str:
    """The one name that the lead speaks of, or nothing."""
    names = {first or second for first, second in NAMED.findall(lead[-2000:])}
    return names.pop() if len(names) == 1 else ""


def _row(function: str, row: list[str], several: bool) -> Example | None:
    *inputs, output = row
    call = read_call(inputs[0]) if len(inputs) == 1 else None
    if call is None and function:
        text = ", ".join(inputs)
        alone = read_literal(text) or ""
        if len(inputs) == 1 and (alone.startswith("(") or ("," in text and not several and not alone)):
            return None  # one argument that is a tuple, or several arguments: nobody knows
        call = read_call(f"{function}({text})") if text else None
    if call is None or doubtful(output):
        return None
    if raised := RAISED.fullmatch(output):
        return call.model_copy(update={"raises": raised.group(1)})
    expected = read_literal(output)
    return call.model_copy(update={"expected": expected}) if expected is not None else None
