"""Reading what a run of tests reported. The report shares a process with the code under test: it may be anything."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.command import CommandResult, Verdict
from domain.evidence import FailureKind, Outcome, TestReport
from sandbox.languages import HARNESS
from sandbox.test_run import custom_command, harness_command, parse_custom, parse_report

KINDS = ["collected", "start", "case", "error", "coverage", "finished", "other"]
LEAF = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["passed", "1e999"])
)
VALUE = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner), max_leaves=5
)
FIELDS = [
    "id",
    "count",
    "outcome",
    "duration_s",
    "message",
    "path",
    "line",
    "kind_of_failure",
    "executable",
    "executed",
]
RECORD = st.fixed_dictionaries(
    {"kind": st.sampled_from(KINDS) | VALUE}, optional=dict.fromkeys(FIELDS, VALUE)
) | st.fixed_dictionaries({"kind": st.sampled_from(KINDS)} | dict.fromkeys(FIELDS, VALUE))


def run(
    *records: dict[str, Any], verdict: Verdict = Verdict.OK, raw: bytes = b"", output: bytes = b""
) -> CommandResult:
    """The result of a run that reported those records, and then some bytes."""
    lines = b"".join(json.dumps(record).encode() + b"\n" for record in records)
    return CommandResult(verdict=verdict, exit_code=0, report=lines + raw, stdout=output, duration_s=1.5)


def case(name: str, outcome: str = "passed", **more: Any) -> dict[str, Any]:
    """The record of a test."""
    return {"kind": "case", "id": name, "outcome": outcome, "duration_s": 0.5, **more}


COLLECTED, FINISHED = {"kind": "collected", "count": 1}, {"kind": "finished", "status": 0}


def assert_sound(report: TestReport) -> None:
    """It can be stored, read back and shown."""
    assert TestReport.model_validate_json(report.model_dump_json()) == report
    texts = [report.output, *report.coverage]
    for case in report.cases:
        texts += [case.id, case.message, case.path]
    for error in report.errors:
        texts += [error.test_id, error.message, error.path]
    for text in texts:
        assert not {character for character in text if character < " " or character == "\x7f"} - {"\n", "\t"}


@settings(max_examples=40)
@given(st.lists(RECORD | st.lists(VALUE, max_size=2), max_size=6), st.binary(max_size=40), st.sampled_from(Verdict))
@example([{"kind": "collected", "count": float("inf")}], b"", Verdict.OK)
@example([{"kind": "error", "id": "x", "line": float("inf")}], b"", Verdict.OK)
@example([{"kind": "case", "id": "x", "outcome": "passed", "duration_s": 10**400}], b"", Verdict.OK)
@example([{"kind": "case", "id": "x", "outcome": "passed", "duration_s": float("nan")}], b"", Verdict.OK)
@example([{"kind": "coverage", "path": 5, "executable": [], "executed": []}], b"", Verdict.OK)
@example([{"kind": "start", "id": "\ud800"}], b"", Verdict.OK)
@example([{"kind": "start", "id": "\x1b[31mred"}], b"", Verdict.TIMEOUT)
def test_whatever_is_reported_gives_a_report_that_can_be_stored_and_shown(
    records: list[Any], raw: bytes, verdict: Verdict
) -> None:
    assert_sound(parse_report(run(*records, raw=raw, verdict=verdict)))


@settings(deadline=None)
@given(st.binary(max_size=300))
@example(b"[" * 100_000)
@example(b'{"kind": "collected", "count": ' + b"9" * 5000 + b"}")
@example(b'{"kind": "error", "id": ' + b"[" * 900 + b"]" * 900 + b"}")
@example(b'{"kind": "finished"')
def test_arbitrary_bytes_are_a_run_that_did_not_finish(raw: bytes) -> None:
    report = parse_report(run(raw=raw))

    assert_sound(report)
    assert not report.finished
    assert not report.passed


def test_a_clean_run_is_read_field_by_field() -> None:
    report = parse_report(
        run(
            {"kind": "collected", "count": 2},
            {"kind": "start", "id": "t.py::a"},
            case("t.py::a"),
            case("t.py::b", "failed", message="assert 1 == 2", path="t.py", line=7, kind_of_failure="assertion"),
            {"kind": "coverage", "path": "m.py", "executable": [1, 2, 3], "executed": [1, 3]},
            FINISHED,
            output=b"printed",
        )
    )

    assert (report.collected, report.finished, report.duration_s, report.output) == (2, True, 1.5, "printed")
    assert [(found.id, found.outcome) for found in report.cases] == [
        ("t.py::a", Outcome.PASSED),
        ("t.py::b", Outcome.FAILED),
    ]
    failed = report.cases[1]
    assert (failed.message, failed.path, failed.line, failed.duration_s) == ("assert 1 == 2", "t.py", 7, 0.5)
    assert report.coverage["m.py"].executed == {1, 3}
    assert report.errors == ()


def test_a_run_passes_only_when_it_finished_and_every_announced_test_reported() -> None:
    assert parse_report(run(COLLECTED, case("a"), FINISHED)).passed
    for worse in (
        run(COLLECTED, case("a")),
        run({"kind": "collected", "count": 2}, case("a"), FINISHED),
        run(COLLECTED, FINISHED),
        run(case("a"), FINISHED),
        run(COLLECTED, case("a", "skipped"), FINISHED),
        run(COLLECTED, case("a", "failed"), FINISHED),
        run(COLLECTED, case("a", "error"), FINISHED),
        run(COLLECTED, case("a"), {"kind": "error", "id": "x", "message": "y"}, FINISHED),
        run(COLLECTED, case("a"), FINISHED, verdict=Verdict.FAILED),
        run(COLLECTED, case("a"), FINISHED, verdict=Verdict.OOM),
    ):
        assert not parse_report(worse).passed, worse.report


@pytest.mark.parametrize(
    ("verdict", "kind"),
    [
        (Verdict.TIMEOUT, FailureKind.TIMEOUT),
        (Verdict.OOM, FailureKind.OOM),
        (Verdict.KILLED, FailureKind.INCOMPLETE),
        (Verdict.OK, FailureKind.INCOMPLETE),
    ],
)
def test_a_run_that_did_not_finish_names_the_test_it_was_in(verdict: Verdict, kind: FailureKind) -> None:
    report = parse_report(run(COLLECTED, case("a"), {"kind": "start", "id": "t.py::slow"}, verdict=verdict))

    (failure,) = report.errors
    assert (failure.kind, failure.test_id) == (kind, "t.py::slow")
    assert "t.py::slow" in failure.message


def test_a_later_smaller_announcement_takes_no_test_back() -> None:
    report = parse_report(
        run({"kind": "collected", "count": 3}, {"kind": "collected", "count": 0}, case("a"), FINISHED)
    )

    assert report.collected == 3
    assert not report.passed


def test_an_error_makes_an_ok_run_a_failed_one() -> None:
    report = parse_report(run({"kind": "error", "id": "t.py", "kind_of_failure": "syntax", "message": "bad"}, FINISHED))

    assert report.verdict is Verdict.FAILED
    assert [(failure.kind, failure.message) for failure in report.errors] == [(FailureKind.SYNTAX, "bad")]


def test_long_texts_are_cut_and_made_plain() -> None:
    noisy = "\x1b[31m" + "x" * 5000 + "\x1b]0;title\x07\x00"
    report = parse_report(
        run(COLLECTED, case(noisy, "failed", message=noisy), FINISHED, output=b"\x1b[2J" + b"y" * 50_000)
    )

    assert (len(report.cases[0].id), len(report.cases[0].message)) == (500, 2000)
    assert len(report.output) < 13_000
    assert "characters left out" in report.output
    assert_sound(report)


def test_a_flood_of_records_is_kept_within_bounds() -> None:
    flood = b"".join(b'{"kind": "error", "id": "e%d"}\n' % number for number in range(50_000))

    report = parse_report(run(COLLECTED, case("a"), raw=flood))

    assert len(report.errors) <= 20_001


def test_the_command_runs_the_harness_isolated_and_lets_no_selection_be_an_option() -> None:
    harness = f"{HARNESS}/run_tests.py"
    command = harness_command("python", ("t.py::a", "--pyargs", "-k", "sub"), 7.0, "test_control.py")

    assert command.argv == ("python3", "-I", "-B", harness, "--control=test_control.py", "t.py::a", "sub")
    assert (command.timeout_s, command.report) == (7.0, True)
    assert harness_command("python").argv == ("python3", "-I", "-B", harness)


def test_a_persons_own_command_is_one_case_that_passes_when_it_exits_with_0() -> None:
    script = "make check | tee 'a b'"
    assert custom_command(script, 9.0).argv == ("/bin/sh", "-c", script)

    passed = parse_custom(script, CommandResult(verdict=Verdict.OK, exit_code=0, stdout=b"fine", duration_s=2.0))
    failed = parse_custom(script, CommandResult(verdict=Verdict.FAILED, exit_code=2, stderr=b"\x1b[31mbroken\xff"))
    ended = parse_custom(script, CommandResult(verdict=Verdict.TIMEOUT, exit_code=None))

    assert passed.passed
    assert (passed.output, passed.cases[0].duration_s) == ("fine", 2.0)
    assert (failed.passed, ended.passed) == (False, False)
    assert "exit code 2" in failed.cases[0].message
    assert "broken" in failed.cases[0].message
    assert "timeout" in ended.cases[0].message
    for report in (passed, failed, ended):
        assert_sound(report)
        assert (report.collected, report.finished) == (1, True)


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=400), st.binary(max_size=60))
def test_whatever_a_persons_command_prints_its_report_can_be_stored_and_shown(script: str, printed: bytes) -> None:
    result = CommandResult(verdict=Verdict.FAILED, exit_code=1, stdout=printed, stderr=printed)

    report = parse_custom(script, result)

    assert TestReport.model_validate_json(report.model_dump_json()) == report
