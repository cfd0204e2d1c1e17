"""A journal in memory that behaves as a durable one."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticSerializationError

from app.journal import Journals, MemoryJournal
from domain.base import Value
from domain.errors import Conflict
from domain.files import File


class Thing(Value):
    """Something to record."""

    number: int
    names: tuple[str, ...] = ()


async def thing() -> Thing:
    return Thing(number=3, names=("a", "b"))


async def never() -> Any:
    raise AssertionError("a recorded step ran again")


async def test_a_step_gives_what_it_ran_and_on_replay_what_was_recorded() -> None:
    records: dict[str, bytes] = {}
    assert await MemoryJournal("task", records).step("a", Thing, thing) == await thing()
    assert await MemoryJournal("task", records).step("a", Thing, never) == await thing()
    assert list(records) == ["task/a"]


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.binary() | st.none(), max_size=3))
async def test_any_value_of_the_domain_comes_back_as_it_was(contents: dict[str, bytes | None]) -> None:
    value = {name: None if content is None else File(content=content) for name, content in contents.items()}

    async def run() -> dict[str, File | None]:
        return value

    journal = MemoryJournal("task")
    returns: Any = dict[str, File | None]
    assert await journal.step("a", returns, run) == value


async def test_a_result_that_is_no_json_cannot_be_recorded() -> None:
    async def run() -> Any:
        return object()

    records: dict[str, bytes] = {}
    with pytest.raises((PydanticSerializationError, UserWarning)):
        await MemoryJournal("task", records).step("a", dict, run)
    assert records == {}


async def test_a_result_of_another_type_than_promised_is_found_out() -> None:
    async def run() -> Any:
        return "three"

    with pytest.raises((ValueError, UserWarning)):
        await MemoryJournal("task").step("a", Thing, run)


async def test_a_name_is_used_once_by_a_journal_but_its_children_have_their_own() -> None:
    journal = MemoryJournal("task")
    await journal.step("a", Thing, thing)
    await journal.child("left").step("a", Thing, thing)
    await journal.child("right").step("a", Thing, thing)
    with pytest.raises(Conflict, match="task/a"):
        await journal.step("a", Thing, thing)


async def test_two_children_of_one_name_cannot_record_the_same_step() -> None:
    journal = MemoryJournal("task")
    await journal.child("left").step("a", Thing, thing)
    with pytest.raises(Conflict):
        await journal.child("left").step("a", Thing, thing)


async def test_a_step_that_fails_is_not_recorded_and_runs_again_on_replay() -> None:
    async def fail() -> Thing:
        raise ZeroDivisionError

    records: dict[str, bytes] = {}
    with pytest.raises(ZeroDivisionError):
        await MemoryJournal("task", records).step("a", Thing, fail)
    assert await MemoryJournal("task", records).step("a", Thing, thing) == await thing()


async def test_children_replay_from_the_records_of_their_parent() -> None:
    records: dict[str, bytes] = {}
    await MemoryJournal("task", records).child("a").child("b").step("c", Thing, thing)
    assert await MemoryJournal("task", records).child("a").child("b").step("c", Thing, never) == await thing()


async def test_time_and_ids_are_the_same_again_on_replay_and_ids_are_unique() -> None:
    records: dict[str, bytes] = {}
    first, second = MemoryJournal("task", records), MemoryJournal("task", records)
    times, ids = [await first.now(), await first.now()], [await first.new_id(), await first.new_id()]
    assert [await second.now(), await second.now()] == times
    assert [await second.new_id(), await second.new_id()] == ids
    assert len(set(ids)) == 2
    assert times == sorted(times)


async def test_messages_are_received_in_order_by_topic_and_a_wait_ends() -> None:
    journal = MemoryJournal("task")
    assert await journal.receive("answer", 0.01) is None
    journal.send("answer", "one")
    journal.send("cancel", "stop")
    journal.send("answer", "two")
    assert [await journal.receive("answer", 1), await journal.receive("answer", 1)] == ["one", "two"]
    waiting = asyncio.create_task(journal.receive("later", 60))
    await asyncio.sleep(0)
    journal.send("later", "now")
    assert await waiting == "now"
    assert await journal.receive("cancel", 1) == "stop"


async def test_a_message_reaches_the_branch_that_waits_for_its_topic() -> None:
    journals = Journals()
    branch = journals.open("task").child("left").child("again")
    waiting = asyncio.create_task(branch.receive("answer", 60))
    journals.send("other", "answer", "no")
    journals.send("task", "answer", "yes")
    assert await waiting == "yes"
    journals.forget("task")
    journals.send("task", "answer", "late")
    assert await branch.receive("answer", 0.01) is None
