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
HARNESS = """
import hashlib, hmac, os, signal, subprocess, sys, time
path, key = sys.stdin.read().split()
fifo = open(path, "wb", buffering=0)
def mac(number, said):
    return hmac.digest(key.encode(), f"{number}{said}".encode(), hashlib.sha256).hex()
def line(number, said):
    return f"{mac(number, said)}{said}\\n".encode()
def case(name):
    return ' {"kind": "case", "id": "%s"}' % name
"""
"""The child: it can sign, and says only what the test lets it say."""
FINISHED = {"kind": "finished", "status": 0}


def relayed(*command: str) -> tuple[list[dict[str, Any]], int]:
    """The records that come out of the relay of that command, and its exit code."""
    reading, writing = os.pipe()
    start = f'exec 3>&{writing} {writing}>&-; exec "$@"'
    relay = (sys.executable, "-I", "-S", str(RELAY))
    with subprocess.Popen(["/bin/bash", "-c", start, "relay", *relay, *command], pass_fds=(writing,)) as process:
        os.close(writing)
        with open(reading, "rb") as report:
            records = [json.loads(line) for line in report.read().splitlines()]
    return records, process.returncode


def harness(script: str) -> tuple[list[dict[str, Any]], int]:
    """The same for a harness with that script."""
    return relayed(sys.executable, "-c", HARNESS + script)


def kinds(script: str) -> list[str]:
    """The kinds of the records."""
    return [record["kind"] for record in harness(script)[0]]


def test_authenticated_records_come_through_and_the_end_is_told_last() -> None:
    assert harness("""fifo.write(line(0, ' {"kind": "start", "id": "größe"}') + line(1, "=0"))""") == (
        [{"kind": "start", "id": "größe"}, FINISHED],
        0,
    )


@pytest.mark.parametrize("code", [0, 1, 7])
def test_an_end_that_was_not_announced_is_no_end(code: int) -> None:
    records, status = harness(f"fifo.write(line(0, case('a'))); sys.exit({code})")

    assert [record["kind"] for record in records] == ["case"]
    assert status == (code or 1)


def test_an_end_other_than_announced_is_no_end() -> None:
    assert harness('fifo.write(line(0, "=0")); sys.exit(3)') == ([], 3)
    assert harness('fifo.write(line(0, "=3")); sys.exit(0)') == ([], 1)
    assert harness('fifo.write(line(0, "=0")); os.kill(os.getpid(), 9)') == ([], 1)


@pytest.mark.parametrize(
    "forged",
    [
        'b\'{"kind": "case"}\\n\'',
        "('0' * 64 + case('a') + '\\n').encode()",
        "('0' * 64 + '=0\\n').encode()",
        "key.encode() + case('a').encode() + b'\\n'",
        "line(0, case('a'))",
        "line(2, case('b'))",
        "line(1, case('b')).replace(b'b', b'c')",
        "line(1, case('b'))[:-10] + b'\\n'",
        "b'\\xff\\n'",
    ],
    ids=["bare", "no key", "no end", "key", "repeated", "out of order", "altered", "cut off", "no text"],
)
def test_lines_that_are_not_the_harness_s_next_are_told_as_tampering(forged: str) -> None:
    script = f"fifo.write(line(0, case('a'))); fifo.write({forged}); fifo.write(line(1, '=0'))"

    records, _ = harness(script)

    assert records[0] == {"kind": "case", "id": "a"}
    assert [record["kind"] for record in records[1:]] == ["tampered", "finished"]


def test_records_behind_one_that_was_taken_away_do_not_come_through() -> None:
    script = "fifo.write(line(0, case('a'))); fifo.write(line(2, case('c'))); fifo.write(line(3, '=0'))"

    assert kinds(script) == ["case", "tampered"]


def test_what_comes_after_the_end_is_told_as_tampering() -> None:
    assert kinds("fifo.write(line(0, '=0') + line(1, case('a')))") == ["tampered", "finished"]


def test_the_child_has_neither_the_report_nor_an_open_input() -> None:
    # The lowest free descriptor is what the FIFO got.
    script = "fifo.write(line(0, '=0' if fifo.fileno() == 3 and sys.stdin.read() == '' else '=1'))"

    assert harness(script) == ([FINISHED], 0)


def test_a_child_that_cannot_be_started_or_reads_nothing_is_no_end() -> None:
    assert relayed("/bin/sh", "-c", "exit 0") == ([], 1)
    assert relayed("/nonexistent/program")[0] == []


def test_a_process_that_outlives_the_harness_does_not_hold_the_relay_up() -> None:
    assert kinds('subprocess.Popen(["sleep", "60"]); fifo.write(line(0, "=0"))') == ["finished"]


def test_many_and_long_records_come_through_whole() -> None:
    script = """
for number in range(500):
    fifo.write(line(number, case(f"x{number:01000d}")))
fifo.write(line(500, "=0"))
"""

    records, _ = harness(script)

    assert [int(record["id"][1:]) for record in records[:-1]] == list(range(500))
