"""Where a task stands: what stopped its work."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.journal import MemoryJournal
from app.settings import Settings
from app.store import open_store
from director.standing import Standing
from domain.subtask_result import Stopped, StopReason
from domain.task import TaskSpec
from sandbox.fake import FakeSandboxes
from tests.director.evidence.court import equipment_of
from tests.director.stage import TASK

SOFT = Stopped(reason=StopReason.STEPS, commit="c", steps=3)
HARD = Stopped(reason=StopReason.BUDGET, scope=f"task:{TASK}", commit="c", steps=3)
OWN = Stopped(reason=StopReason.TOKENS, scope=f"subtask:{TASK}:a", commit="c", steps=3)


@pytest.fixture
async def standing(tmp_path: Path) -> AsyncIterator[Standing]:
    async with open_store(Settings(soundstage_home=tmp_path)) as store:
        workspace = await store.workspaces.create(TASK)
        spec = TaskSpec(id=TASK, prompt="x", model="m", base_commit="c")
        yield Standing(equipment_of(store, FakeSandboxes()), spec, workspace, MemoryJournal(TASK))


@pytest.mark.parametrize("stops", [{"a": HARD, "b": SOFT}, {"b": SOFT, "a": HARD}, {"a": HARD, "b": OWN}])
async def test_a_limit_of_the_whole_task_counts_whatever_else_stops(
    stops: dict[str, Stopped], standing: Standing
) -> None:
    standing.stops |= stops
    assert standing.stopped == HARD
    for name in stops:
        standing.forget_stop(name)
    assert (standing.stopped, standing.hard_stopped) == (HARD, True)


@pytest.mark.parametrize("stop", [SOFT, OWN])
async def test_a_subtask_that_stopped_is_forgotten_once_its_work_was_done_after_all(
    stop: Stopped, standing: Standing
) -> None:
    standing.stops |= {"a": stop, "b": SOFT}
    assert (standing.stopped, standing.hard_stopped) == (stop, False)
    standing.forget_stop("a")
    assert standing.stopped == SOFT
    standing.forget_stop("b")
    assert standing.stopped is None


async def test_after_the_deadline_nothing_new_is_begun_and_the_time_is_what_stopped_the_work(
    standing: Standing,
) -> None:
    now = datetime.now(UTC)
    standing.deadline = now + timedelta(hours=1)
    assert await standing.may_go_on(standing.journal)
    standing.deadline = now - timedelta(seconds=1)
    assert not await standing.may_go_on(standing.journal)
    assert standing.stopped is not None
    assert standing.stopped.reason is StopReason.WALL_CLOCK
    assert standing.hard_stopped
