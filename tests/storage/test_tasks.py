import sqlite3

import pytest

from domain.errors import UnknownTask, UsageError
from domain.events import BranchMerged, Fact, SnapshotMade, SubtaskFinished, SubtaskStarted, TaskFinished, TaskStarted
from domain.events import TaskSubmitted as Submitted
from domain.plan import Subtask
from domain.subtask_result import Submitted as Claimed
from domain.task import TaskStatus
from storage.event_log import SqlEventLog
from storage.tasks import SqlTasks
from tests.domain.sample_facts import COMMIT, result, spec


def started(subtask_id: str, commit: str) -> SubtaskStarted:
    return SubtaskStarted(subtask=Subtask(id=subtask_id, role="code", goal="g"), attempt=1, commit=commit)


def finished(subtask_id: str, commit: str) -> SubtaskFinished:
    return SubtaskFinished(subtask_id=subtask_id, result=Claimed(summary="", commit=commit, steps=1))


async def tell(log: SqlEventLog, task_id: str, *facts: Fact) -> None:
    for number, fact in enumerate((Submitted(spec=spec(task_id)), *facts)):
        await log.append(task_id, f"k{number}", fact)


async def test_tasks_are_listed_with_the_newest_first_and_no_more_than_asked(log: SqlEventLog, tasks: SqlTasks) -> None:
    for number in range(5):
        await tell(log, f"t{number}")

    assert [task.id for task in await tasks.newest()] == ["t4", "t3", "t2", "t1", "t0"]
    assert [task.id for task in await tasks.newest(2)] == ["t4", "t3"]


async def test_a_task_is_found_by_the_beginning_of_its_id_when_that_is_unique(
    log: SqlEventLog, tasks: SqlTasks
) -> None:
    for task_id in ("abc1", "abd2", "x-1"):
        await tell(log, task_id)

    assert (await tasks.find("abc")).id == "abc1"
    assert (await tasks.find("x-1")).id == "x-1"
    with pytest.raises(UnknownTask, match="More than one"):
        await tasks.find("ab")
    for prefix in ("zz", "", "%", "x_"):
        with pytest.raises(UnknownTask, match="There is no task"):
            await tasks.find(prefix)


async def test_a_task_has_its_spec_from_the_start_and_its_result_at_the_end(log: SqlEventLog, tasks: SqlTasks) -> None:
    await tell(log, "t1", TaskStarted(worker="w"))
    assert await tasks.spec("t1") == spec("t1")
    assert await tasks.result("t1") is None

    await log.append("t1", "end", TaskFinished(result=result()))

    assert await tasks.result("t1") == result()
    assert (await tasks.find("t1")).grade == "checked"
    assert await tasks.result("t2") is None
    with pytest.raises(UnknownTask):
        await tasks.spec("t2")


async def test_a_task_is_found_by_its_owner_and_by_nobody_else(log: SqlEventLog, tasks: SqlTasks) -> None:
    await log.append("t1", "k", Submitted(spec=spec("t1").model_copy(update={"owner": "ann"})))
    await log.append("t1", "end", TaskFinished(result=result()))

    record = await tasks.of("ann", "t1")
    assert (record.summary.id, record.spec.owner, record.result) == ("t1", "ann", result())
    for owner, task_id in (("bob", "t1"), ("ann", "t2"), ("ann", ""), ("ann", "t"), ("", "t1")):
        with pytest.raises(UnknownTask, match="There is no task"):
            await tasks.of(owner, task_id)


async def test_pages_hold_every_task_of_an_owner_once_with_the_newest_first(
    log: SqlEventLog, tasks: SqlTasks, stranger: sqlite3.Connection
) -> None:
    for number in range(7):
        owned = spec(f"t{number}").model_copy(update={"owner": "bob" if number == 3 else "ann"})
        await log.append(owned.id, "k", Submitted(spec=owned))
    stranger.execute("UPDATE task SET submitted_at = 'the same' WHERE id IN ('t1', 't2', 't4')")
    await log.append("t6", "end", TaskFinished(result=result("t6")))

    pages = [await tasks.page("ann", None, None, 2)]
    while pages[-1].cursor is not None:
        pages.append(await tasks.page("ann", None, pages[-1].cursor, 2))
    assert [[task.id for task in page.tasks] for page in pages] == [["t4", "t2"], ["t1", "t6"], ["t5", "t0"]]
    assert [task.id for task in (await tasks.page("ann", TaskStatus.UNSOLVED, None, 9)).tasks] == ["t6"]
    assert (await tasks.page("ann", None, None, 6)).cursor is None
    for cursor in ("t3", "", "nowhere", "' OR 1=1 --"):
        with pytest.raises(UsageError, match="leads nowhere"):
            await tasks.page("ann", None, cursor, 2)


async def test_a_task_that_waited_in_a_process_that_died_is_abandoned_at_its_base(
    log: SqlEventLog, tasks: SqlTasks
) -> None:
    for task_id, worker in (("here", "here"), ("lost", "gone")):
        await log.append(task_id, "k", Submitted(spec=spec(task_id), worker=worker))

    (abandoned,) = await tasks.abandoned({"here"})

    assert (abandoned.task_id, abandoned.commit) == ("lost", COMMIT)


async def test_only_running_tasks_whose_process_died_are_abandoned(log: SqlEventLog, tasks: SqlTasks) -> None:
    await tell(log, "waiting")
    await tell(log, "alive", TaskStarted(worker="here"))
    await tell(log, "done", TaskStarted(worker="gone"), TaskFinished(result=result("done")))
    await tell(log, "lost", TaskStarted(worker="gone"))

    (abandoned,) = await tasks.abandoned({"here"})

    assert (abandoned.task_id, abandoned.commit) == ("lost", COMMIT)
    await log.append("lost", "end", abandoned.finish())
    assert await tasks.abandoned({"here"}) == []
    assert (await tasks.find("lost")).status is TaskStatus.FAILED


@pytest.mark.parametrize(
    "facts",
    [
        (started("write", "old"), started("check", "new")),
        (started("check", "old"), started("write", "new")),
        (started("write", "old"), SnapshotMade(subtask_id="write", commit="new", paths=("a",))),
        (started("a", "old"), finished("a", "old"), started("b", "old"), finished("b", "new")),
        (started("write", "old"), BranchMerged(subtask_id="write", commit="new")),
    ],
    ids=["started last", "started last, of a later id", "snapshot", "finished last", "merged"],
)
async def test_an_abandoned_task_has_the_newest_commit_that_its_events_speak_of(
    log: SqlEventLog, tasks: SqlTasks, facts: tuple[Fact, ...]
) -> None:
    await tell(log, "t1", TaskStarted(worker="gone"), *facts)

    (abandoned,) = await tasks.abandoned(set())

    assert abandoned.commit == "new"
