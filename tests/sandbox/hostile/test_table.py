"""The table in the documentation says what the cases say."""

import json
import re
from pathlib import Path

import pytest

from tests.sandbox.hostile import table
from tests.sandbox.hostile.case import PROGRAMS, Case
from tests.sandbox.hostile.cases import CASES
from tests.sandbox.hostile.isolations import LEVELS

SHARED = {"attack", "surroundings", "network_listens_for_others"}
ROW = re.compile(r"^\| (?P<case>[^|]+) \| (?P<tries>[^|]+) \| `(?P<runc>\w+)`[^|]* \| `(?P<runsc>\w+)`[^|]* \|$")


def words(case: Case, level: str) -> set[str]:
    """The verdicts that the table may name for a case."""
    return {"lost" if verdict == "infrastructure" else verdict.value for verdict in case.at(level).verdicts}


def expected() -> table.Results:
    """Results as they are expected."""
    return {(case.id, level): case.at(level).verdicts[0].value for case in CASES for level in LEVELS}


def test_the_table_holds_every_case_with_a_verdict_that_is_expected_of_it() -> None:
    document = table.DOCS.read_text(encoding="utf-8")
    _, _, rest = document.partition(table.BEGINNING)
    rows = [row for line in rest.partition(table.END)[0].splitlines() if (row := ROW.match(line)) and "---" not in line]

    assert [row["case"] for row in rows] == [f"{case.category} {case.name}".replace("_", " ") for case in CASES]
    for row, case in zip(rows, CASES, strict=True):
        assert row["tries"] == case.tries
        for level in LEVELS:
            assert row[level] in words(case, level), case.id


def test_the_table_is_as_the_command_writes_it() -> None:
    document = table.DOCS.read_text(encoding="utf-8")
    _, _, rest = document.partition(table.BEGINNING)
    rows = [row for line in rest.partition(table.END)[0].splitlines() if (row := ROW.match(line))]
    results = {
        (case.id, level): row[level].replace("lost", "infrastructure")
        for row, case in zip(rows, CASES, strict=True)
        for level in LEVELS
    }

    assert table.replace(document, table.render(results)) == document


def test_every_program_is_a_case_and_says_what_it_attacks() -> None:
    assert len({case.id for case in CASES}) == len(CASES)
    stems = {path.stem for path in PROGRAMS.iterdir() if path.suffix in {".py", ".sh"}}
    assert stems - SHARED == {case.id for case in CASES if case.program() is not None}
    for path in PROGRAMS.glob("*.py"):
        assert re.match(r'"""[A-Z].+\.', path.read_text(encoding="utf-8")), path.name
    for path in PROGRAMS.glob("*.sh"):
        assert path.read_text(encoding="utf-8").startswith("#!/bin/sh\n# "), path.name


def test_results_are_read_from_lines_and_what_is_missing_is_named() -> None:
    records = [{"case": case, "isolation": level, "verdict": verdict} for (case, level), verdict in expected().items()]
    lines = [json.dumps(record) for record in records]

    assert table.read_results(lines) == expected()
    assert table.missing(table.read_results(lines)) == []
    assert table.missing(table.read_results(lines[1:])) == [f"{CASES[0].id} ({LEVELS[0]})"]


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    document = f"before\n{table.BEGINNING}\nold\n{table.END}\nafter\n"

    assert table.replace(document, "new") == "before\nnew\nafter\n"
    with pytest.raises(ValueError, match="no place for the table"):
        table.replace("nothing", "new")


def test_a_run_that_left_cases_out_changes_no_table(tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.write_text("", encoding="utf-8")
    before = table.DOCS.read_bytes()

    with pytest.raises(SystemExit, match="results are missing"):
        table.main([str(results)])

    assert table.DOCS.read_bytes() == before
