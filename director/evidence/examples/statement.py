"""What a line of text or code says of calls: ``f(2) == 4``, ``f(2) -> 4``, ``f(2) returns 4``, ``f(-1) raises``."""

import re
from collections.abc import Iterator

from director.evidence.examples.example import Example
from director.evidence.examples.literal import closed_at, literal_at, read_call

MAX_LINE = 2_000
CALL = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?\(")
NO_STATEMENT = re.compile(
    r"(?:\b(?:if|elif|when|while|until|unless|return|or|in|is|def|function|func|fn|class|new|await|yield|with|lambda|"
    r"del|not|void|public|private|static|int|double|float|long|boolean|bool|String|string)\s+|[-=<>+*/%&|^!~@({\[]\s*)$"
)
"""What stands before a call that is a part of something else: a condition, a definition, an operation."""

EQUALS = re.compile(r"\s*(?:={1,3}>|-{1,3}>|===?|[→⇒⟶⟹➔➜➝➞]|=|(?:#|//)\s*(?:=+>|-+>|[→⇒➞]|==|returns?\b|gives\b)?)\s*")
SAYS = re.compile(
    r"\s+(?:(?:(?:should|must|shall|will|has to|needs to|to)\s+)?(?:return|give|equal|yield|be|produce|evaluate to)|"
    r"returns|gives|yields|equals|is|produces|evaluates to|is equal to)\s+(?:exactly\s+)?",
    re.IGNORECASE,
)
RAISES = re.compile(
    r"\s*(?:(?:->|=>|→|#|//)\s*)?(?:(?:should|must|shall|will|has to|needs to|to)\s+)?(?:raises?|throws?)\s+"
    r"(?:an?\s+|the\s+)?`?([A-Z]\w{2,60})`?",
)
BULLET = re.compile(r"^\s*(?:[-*+•]|\d+[.)])\s+")
CLAUSE_ENDS = re.compile(r"[`*_\"”’]*\s*(?:$|[,;:|)](?!\w)|\.(?!\w)|#|//|(?:and|while|whereas|because|since|as)\b)")
MARKS = re.compile(r"[`*_]{0,3}")


def statements(line: str) -> Iterator[Example]:
    """The examples in a line, in order."""
    line, at = BULLET.sub("", line[:MAX_LINE]), 0
    while call := CALL.search(line, at):
        at = closed_at(line, call.end() - 1)
        if not at:
            return
        found = read_call(line[call.start() : at])
        if found is None or NO_STATEMENT.search(line[max(0, call.start() - 30) : call.start()]):
            continue
        marks = MARKS.match(line, at)
        if (told := _outcome(found, line[marks.end() if marks else at :])) is not None:
            yield told


def _outcome(call: Example, rest: str) -> Example | None:
    if (raised := RAISES.match(rest)) and CLAUSE_ENDS.match(rest, raised.end()):
        return call.model_copy(update={"raises": raised.group(1)})
    verb = EQUALS.match(rest) or SAYS.match(rest)
    if verb is None:
        return None
    marks = MARKS.match(rest, verb.end())
    start = marks.end() if marks else verb.end()
    value = literal_at(rest[start:])
    if value is None or not CLAUSE_ENDS.match(rest, start + value[1]):
        return None
    if "->" in verb.group() and value[0] == "None":
        return None  # the annotation of a function that returns nothing
    return call.model_copy(update={"expected": value[0]})
