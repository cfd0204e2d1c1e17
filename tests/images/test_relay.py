"""The relay between a harness in a process of its own and the report: what it lets through."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
RELAY = ROOT / "images" / "shared" / "relay.py"
HARNESS = "read path; read token; exec 9>$path; "


def relayed(script: str) -> tuple[list[dict[str, Any]], int]:
    """The records that come out of the relay when its child is a shell with that script, and its exit code."""
    reading, writing = os.pipe()
    command = f'exec 3>&{writing} {writing}>&-; exec {sys.executable} -I -S {RELAY} /bin/sh -c "$0"'
    with subprocess.Popen(["/bin/bash", "-c", command, script], pass_fds=(writing,)) as process:
        os.close(writing)
        with open(reading, "rb") as report:
            records = [json.loads(line) for line in report.read().splitlines()]
    return records, process.returncode


def kinds(script: str) -> list[str]:
    """The kinds of the records."""
    return [record["kind"] for record in relayed(script)[0]]


def test_records_with_the_token_come_through_and_the_end_is_told_last() -> None:
    script = (
        HARNESS + """echo "$token {\\"kind\\": \\"start\\", \\"id\\": \\"größe\\"}" >&9; echo "$token=0" >&9; exit 0"""
    )

    assert relayed(script) == ([{"kind": "start", "id": "größe"}, {"kind": "finished", "status": 0}], 0)


@pytest.mark.parametrize("code", [0, 1, 7])
def test_an_end_that_was_not_announced_is_no_end(code: int) -> None:
    records, status = relayed(HARNESS + f"""echo "$token {{\\"kind\\": \\"start\\"}}" >&9; exit {code}""")

    assert [record["kind"] for record in records] == ["start"]
    assert status == (code or 1)


def test_an_end_other_than_announced_is_no_end() -> None:
    assert relayed(HARNESS + 'echo "$token=0" >&9; exit 3') == ([], 3)
    assert relayed(HARNESS + 'echo "$token=3" >&9; exit 0') == ([], 1)
    assert relayed(HARNESS + 'echo "$token=0" >&9; kill -9 $$') == ([], 1)


@pytest.mark.parametrize(
    "forged",
    [
        'echo "{\\"kind\\": \\"case\\"}"',
        'echo "x{\\"kind\\": \\"case\\"}"',
        'echo "0123456789abcdef0123456789abcdef=0"',
    ],
)
def test_lines_without_the_token_are_told_as_tampering(forged: str) -> None:
    assert kinds(HARNESS + f'{forged} >&9; echo "$token=0" >&9; exit 0') == ["tampered", "finished"]


def test_what_comes_after_the_end_is_told_as_tampering() -> None:
    script = HARNESS + """echo "$token=0" >&9; echo "$token {\\"kind\\": \\"case\\"}" >&9; exit 0"""

    assert kinds(script) == ["tampered", "finished"]


def test_the_child_has_neither_the_report_nor_an_open_input() -> None:
    script = HARNESS + 'if (echo x >&3) 2>/dev/null; then exit 5; fi; cat; echo "$token=0" >&9; exit 0'

    assert relayed(script) == ([{"kind": "finished", "status": 0}], 0)


def test_a_child_that_cannot_be_started_or_reads_nothing_is_no_end() -> None:
    assert relayed("exit 0") == ([], 1)
    assert relayed("exec /nonexistent/program")[0] == []


def test_a_process_that_outlives_the_harness_does_not_hold_the_relay_up() -> None:
    assert kinds(HARNESS + 'sleep 60 & echo "$token=0" >&9; exit 0') == ["finished"]


def test_many_and_long_records_come_through_whole() -> None:
    script = (
        HARNESS
        + """for n in $(seq 500); do
    printf '%s {"kind": "case", "id": "%s%01000d"}\\n' "$token" x "$n" >&9; done; echo "$token=0" >&9; exit 0"""
    )

    records, _ = relayed(script)

    assert [int(record["id"][1:]) for record in records[:-1]] == list(range(1, 501))
