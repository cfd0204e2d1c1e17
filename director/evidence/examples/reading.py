"""Finding the examples of a request, which may be any text. Conservative: what is doubtful is no example."""

from collections import defaultdict
from collections.abc import Iterator

from director.evidence.examples import doctest, table
from director.evidence.examples.example import Example
from director.evidence.examples.mood import doubtful, is_lead, leads_to_wrong, says_wrong, takes_back
from director.evidence.examples.statement import statements
from domain.base import Value

MAX_EXAMPLES = 100
FENCE = "```"


class Paragraph(Value):
    """Lines without a blank one between them, and the last line of text before them."""

    lines: tuple[str, ...]
    lead: str = ""


def find_examples(prompt: str) -> tuple[Example, ...]:
    """The examples in a request, each once; none of those about whose outcome it says two things."""
    outcomes: dict[str, list[Example]] = defaultdict(list)
    for example in _believed(_paragraphs(prompt)):
        outcomes[f"{example.owner}.{example.call}"].append(example)
    single = [told[0] for told in outcomes.values() if all(one == told[0] for one in told)]
    return tuple(single[:MAX_EXAMPLES])


def _paragraphs(prompt: str) -> list[Paragraph]:
    found: list[Paragraph] = []
    lines: list[str] = []
    lead = ""
    for line in [*prompt.splitlines(), ""]:
        if line.strip():
            lines.append(line)
        elif lines:
            found.append(Paragraph(lines=tuple(lines), lead=lead))
            lead = next((one for one in reversed(lines) if not one.lstrip().startswith(FENCE)), lead)
            lines = []
    return found


def _believed(paragraphs: list[Paragraph]) -> Iterator[Example]:
    """The examples of each paragraph that says how things should be, whatever is said of it before and after."""
    wrong = False
    for at, paragraph in enumerate(paragraphs):
        after = paragraphs[at + 1].lines[0] if at + 1 < len(paragraphs) else ""
        if is_lead(paragraph.lines[0]):
            wrong = False
        here = wrong or any(map(says_wrong, _prose(paragraph))) or takes_back(after)
        if not here:
            yield from _examples(paragraph)
        for line in paragraph.lines:
            if is_lead(line) and not doctest.is_prompt(line):
                wrong = leads_to_wrong(line)


def _prose(paragraph: Paragraph) -> Iterator[str]:
    return (line for line in paragraph.lines if not doctest.is_prompt(line))


def _examples(paragraph: Paragraph) -> Iterator[Example]:
    lines, at, lead, doubt = list(paragraph.lines), 0, paragraph.lead, False
    while at < len(lines):
        line = lines[at]
        if doctest.is_prompt(line):
            example, at = doctest.step(lines, at)
            if example is not None and not doubt:
                yield example
        elif table.is_row(line):
            first = at
            while at < len(lines) and table.is_row(lines[at]):
                at += 1
            yield from table.read_table(lines[first:at], lead)
        else:
            at += 1
            doubt = doubtful(line)
            lead = lead if line.lstrip().startswith(FENCE) else line
            if not doubt:
                yield from statements(line)
