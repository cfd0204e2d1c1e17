"""Programs that attack from inside: each is run for real, and is contained."""

import gc
from pathlib import Path

import pytest

from tests.sandbox.hostile.arena import arena, record
from tests.sandbox.hostile.case import Case
from tests.sandbox.hostile.cases import PROGRAM_CASES

MOST_GROWTH = 50 << 20
"""Bytes by which the service's memory may grow, whatever a program does."""


@pytest.fixture(autouse=True)
def _engine(docker_engine: None) -> None:
    """All of them need one."""


@pytest.mark.parametrize("case", PROGRAM_CASES, ids=lambda case: case.id)
async def test_a_hostile_program_is_contained(case: Case, isolation: str, tmp_path: Path) -> None:
    async with arena(tmp_path, isolation) as there, there.lease() as sandbox:
        before = peak()
        result = await there.attack(sandbox, case)
        assert peak(reset=False) - before < MOST_GROWTH
        if case.at(isolation).survives:
            await there.goes_on(sandbox)
    record(case, isolation, result.verdict)


def peak(reset: bool = True) -> int:
    """The most memory that this process has held, in bytes; by default counted anew from what it holds now."""
    if reset:
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5")
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) * 1024
