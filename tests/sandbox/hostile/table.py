"""The table of the corpus in docs/security.md, made from the results of a run.

``python -m tests.sandbox.hostile.table RESULTS`` writes it, where RESULTS is the file that a run of the corpus made
with SOUNDSTAGE_HOSTILE_RESULTS (see ``make hostile``).
"""

import json
import sys
from pathlib import Path

from tests.sandbox.hostile.case import Case
from tests.sandbox.hostile.cases import CASES
from tests.sandbox.hostile.isolations import LEVELS

DOCS = Path(__file__).parents[3] / "docs" / "security.md"
BEGINNING = "<!-- The hostile corpus: written by `make hostile`, not by hand. -->"
END = "<!-- The end of the hostile corpus. -->"
Results = dict[tuple[str, str], str]
"""The verdict of each case at each level of isolation."""


def read_results(lines: list[str]) -> Results:
    """The results of a run. Where a case ran in several variants, the first that was recorded stands for it."""
    results: Results = {}
    for line in lines:
        record = json.loads(line)
        results.setdefault((record["case"], record["isolation"]), record["verdict"])
    return results


def missing(results: Results) -> list[str]:
    """The cases that a run left out, with the level of isolation."""
    return [f"{case.id} ({level})" for case in CASES for level in LEVELS if (case.id, level) not in results]


def render(results: Results) -> str:
    """The table, between its two marks."""
    lines = [BEGINNING, "", "| case | what it tries | runc | runsc |", "| --- | --- | --- | --- |"]
    for case in CASES:
        cells = (f"{case.category} {case.name}".replace("_", " "), case.tries, *_verdicts(case, results))
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join([*lines, "", END])


def _verdicts(case: Case, results: Results) -> list[str]:
    return [_cell(results[case.id, level], case.at(level).note) for level in LEVELS]


def _cell(verdict: str, note: str) -> str:
    word = "lost" if verdict == "infrastructure" else verdict
    return f"`{word}`: {note}" if note else f"`{word}`"


def replace(document: str, table: str) -> str:
    """The document with the table in the place of the one between the marks; ValueError without them."""
    before, _, rest = document.partition(BEGINNING)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"there is no place for the table: put {BEGINNING} and {END} into the document")
    return before + table + after


def main(arguments: list[str]) -> None:
    """Writes the table from the results in a file."""
    results = read_results(Path(arguments[0]).read_text(encoding="utf-8").splitlines())
    if left_out := missing(results):
        sys.exit(
            f"hostile: the table stays as it is: {len(left_out)} results are missing, the first is {left_out[0]}. "
            "Run all of the corpus, with gVisor: make gvisor hostile"
        )
    DOCS.write_text(replace(DOCS.read_text(encoding="utf-8"), render(results)), encoding="utf-8")
    print(f"hostile: {len(CASES)} cases written to {DOCS.name}")


if __name__ == "__main__":
    main(sys.argv[1:])
