"""Tests of app/bootstrap.py: what a start tidies up, and what an end leaves."""

from pathlib import Path

from app.bootstrap import build
from app.models import only
from app.settings import Settings
from app.store import open_store
from domain.events import TaskStarted, TaskSubmitted
from domain.ledger import Attempt, Scope
from domain.task import TaskSpec, TaskStatus
from gateway.scripted import ScriptedProvider
from sandbox.fake import FakeSandboxes


async def test_a_start_ends_the_tasks_of_dead_processes_and_leaves_those_of_live_ones(tmp_path: Path) -> None:
    settings = Settings(soundstage_home=tmp_path)
    async with build(settings, only(ScriptedProvider(()), "m", "a test"), FakeSandboxes()) as first:
        for task, worker in (("dead", "nobody"), ("alive", _own_id(tmp_path))):
            await first.store.workspaces.create(task)
            spec = TaskSpec(id=task, prompt="x", model="m", base_commit="base")
            await first.store.log.append(task, "submitted", TaskSubmitted(spec=spec))
            await first.store.log.append(task, "started", TaskStarted(worker=worker))
        async with build(settings, only(ScriptedProvider(()), "m", "a test"), FakeSandboxes()) as second:
            assert (await second.store.tasks.find("dead")).status is TaskStatus.FAILED
            assert (await second.store.tasks.find("alive")).status is TaskStatus.RUNNING
            result = await second.store.tasks.result("dead")
            assert result is not None
            assert result.commit == "base"


async def test_a_start_settles_expired_reservations_at_what_they_reserved(tmp_path: Path) -> None:
    settings = Settings(soundstage_home=tmp_path)
    async with open_store(settings) as store:
        await store.ledger.open(Scope(id="task:t"))
        attempt = Attempt(
            id="a", scope="task:t", task_id="t", subtask_id="", provider="p", model="m",
            reserved=50, reserved_tokens=9, expires_s=0.000001,
        )  # fmt: skip
        await store.ledger.reserve(attempt)
    async with build(settings, only(ScriptedProvider(()), "m", "a test"), FakeSandboxes()) as started:
        spent = await started.store.ledger.spending("task:t")
    assert (spent.reserved, spent.settled, spent.settled_tokens) == (0, 50, 9)


async def test_an_end_leaves_no_lock_behind(tmp_path: Path) -> None:
    async with build(Settings(soundstage_home=tmp_path), only(ScriptedProvider(()), "m", "a test"), FakeSandboxes()):
        assert len(list((tmp_path / "instances").iterdir())) == 1
    assert list((tmp_path / "instances").iterdir()) == []


def _own_id(home: Path) -> str:
    return next((home / "instances").iterdir()).stem
