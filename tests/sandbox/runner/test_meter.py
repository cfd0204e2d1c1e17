"""The meter, on files as the kernel writes them for control groups of version 1 and 2."""

import os
import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.runner.meter import Meter, Reading, usage

VERSION_2 = {
    "cpu.stat": "usage_usec 123456789\nuser_usec 100000000\nsystem_usec 23456789\nnr_periods 0\nnr_throttled 7\n",
    "memory.current": "5242880\n",
    "memory.peak": "9437184\n",
    "memory.events": "low 0\nhigh 0\nmax 41\noom 3\noom_kill 2\noom_group_kill 9\n",
}
VERSION_1 = {
    "cpuacct/cpuacct.usage": "123456789000\n",
    "memory/memory.usage_in_bytes": "5242880\n",
    "memory/memory.max_usage_in_bytes": "9437184\n",
    "memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
}


def group(folder: Path, files: dict[str, str]) -> str:
    """A control group with those files."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    return str(folder)


@pytest.mark.parametrize("files", [VERSION_1, VERSION_2], ids=["version 1", "version 2"])
def test_what_a_control_group_says_is_read_in_either_version(tmp_path: Path, files: dict[str, str]) -> None:
    own = resource.getrusage(resource.RUSAGE_SELF)

    seen = Meter(group(tmp_path, files)).read(0)

    # What the reader itself used is no command's; it goes on using some while it reads.
    assert 123.456789 - own.ru_utime - own.ru_stime - 1.0 < seen.cpu_s <= 123.456789 - own.ru_utime - own.ru_stime
    assert (seen.memory, seen.peak, seen.oom_kills) == (5_242_880, 9_437_184, 2)


@pytest.mark.parametrize("files", [VERSION_1, VERSION_2], ids=["version 1", "version 2"])
def test_totals_are_read_anew_each_time(tmp_path: Path, files: dict[str, str]) -> None:
    meter = Meter(group(tmp_path, files))
    before = meter.read(0)
    group(tmp_path, {name: content.replace("123456789", "125456789") for name, content in files.items()})

    assert 1.0 < meter.read(0).cpu_s - before.cpu_s <= 2.0


@pytest.mark.parametrize("missing", sorted(VERSION_2))
def test_a_file_that_is_not_there_leaves_its_figure_out_and_no_other(tmp_path: Path, missing: str) -> None:
    there = {name: content for name, content in VERSION_2.items() if name != missing}

    seen = Meter(group(tmp_path, there)).read(0)

    assert (seen.memory is None) == (missing == "memory.current")
    assert (seen.peak is None) == (missing == "memory.peak")
    assert (seen.oom_kills == 0) == (missing == "memory.events")
    assert (seen.cpu_s == 0.0) == (missing == "cpu.stat")


@pytest.mark.parametrize("content", ["", "max\n", "\xff\xfe", "usage_usec\n", "usage_usec -5\n", "usage_usec 1.5\n"])
def test_a_file_that_says_something_else_is_as_good_as_none(tmp_path: Path, content: str) -> None:
    odd = Meter(group(tmp_path, dict.fromkeys(VERSION_2, content)))

    seen = odd.read(0)

    assert (seen.cpu_s, seen.memory, seen.peak, seen.oom_kills) == (0.0, None, None, 0)


def test_without_a_control_group_the_children_that_ended_are_counted() -> None:
    meter = Meter(None)
    for _ in range(2):
        meter.reaped(resource.struct_rusage([0.25, 0.5, 4096, *[0] * 13]))

    seen = meter.read(0)

    assert (seen.cpu_s, seen.memory, seen.peak, seen.oom_kills) == (1.5, None, None, 0)
    assert (meter.largest(), meter.largest()) == (4096 * 1024, 0)


def test_bytes_written_are_those_of_this_process_and_its_children_less_its_own() -> None:
    meter = Meter(None)
    before = meter.read(0)
    with open(os.devnull, "wb", buffering=0) as sink:
        sink.write(b"x" * 70_000)

    after, less = meter.read(0), meter.read(70_000)

    assert before.written is not None
    assert after.written is not None
    assert less.written is not None
    assert after.written - before.written >= 70_000
    assert after.written - less.written <= 70_000
    assert meter.read(1 << 60).written == 0


BEFORE = Reading(cpu_s=1.0, memory=10, peak=100, written=50, oom_kills=0)


def changed(reading: Reading, **fields: int | None) -> Reading:
    """The reading with other values."""
    return Reading(**(vars(reading) | fields))


@pytest.mark.parametrize(
    ("after", "largest", "peak"),
    [
        (changed(BEFORE, peak=150), 0, 150),
        (changed(BEFORE, memory=30), 0, 30),
        (changed(BEFORE, memory=30), 70, 70),
        (changed(BEFORE, memory=5), 0, 10),
        (changed(BEFORE, peak=None, memory=None), 0, 10),
    ],
    ids=["a new peak", "at the end", "one process", "at the beginning", "nothing else is known"],
)
def test_the_peak_is_that_of_the_command_as_far_as_it_is_known(after: Reading, largest: int, peak: int) -> None:
    assert usage(BEFORE, after, largest)["peak_memory"] == peak


NUMBERS = st.none() | st.integers(0, 1 << 62)
READINGS = st.builds(Reading, st.floats(0, 1e9), NUMBERS, NUMBERS, NUMBERS, st.integers(0, 10))


@given(READINGS, READINGS, st.integers(0, 1 << 62))
def test_usage_between_any_two_readings_is_never_negative(before: Reading, after: Reading, largest: int) -> None:
    used = usage(before, after, largest)

    assert set(used) == {"cpu_s", "peak_memory", "written"}
    assert used["cpu_s"] is not None
    assert all(value is None or value >= 0 for value in used.values())
