"""The response cache: what was answered before, or is being answered, is not paid for again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from domain.chat import (
    AssistantMessage,
    FinishReason,
    Image,
    ModelReply,
    ModelRequest,
    SystemMessage,
    ToolSchema,
    Usage,
    UserMessage,
)
from domain.errors import ModelOverloaded
from domain.money import NanoUsd
from domain.reply_cache import KnownReply
from gateway.base import Call, Completion
from gateway.cache import CachedCalls, cache_key
from storage.database import Database
from storage.reply_cache import SqlReplyCache
from storage.writer import Writer
from tests.gateway import virtual_time

REQUEST = ModelRequest(model="m", messages=(UserMessage(content="hello"),), max_output_tokens=100)
CALL = Call(request=REQUEST, task_id="t1", purpose="step", scope="task:t1", cacheable=True)
PAID = Usage(input_tokens=10, output_tokens=5)
TOOL = ToolSchema(name="ls", description="lists", parameters={"type": "object"})
PICTURE = UserMessage(content="hello", images=(Image(media_type="image/png", data="aGk="),))


def reply_of(said: str, finish: FinishReason = FinishReason.STOP) -> ModelReply:
    return ModelReply(message=AssistantMessage(content=said), usage=PAID, finish_reason=finish, reasoning="hm")


class Maker:
    """Makes calls: counts them, and fails, cuts short or holds up those that it is told to."""

    def __init__(self, *ends: FinishReason | Exception) -> None:
        self._ends = list(ends)
        self.made = 0
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def __call__(self) -> Completion:
        self.made += 1
        number = self.made
        self.begun.set()
        await self.may_end.wait()
        end = self._ends.pop(0) if self._ends else FinishReason.STOP
        if isinstance(end, Exception):
            raise end
        by = {"provider": "groq", "model": "llama"}
        return Completion(reply=reply_of(f"answer {number}", end), **by, cost=NanoUsd(7), latency_s=1.0)


class Shelf:
    """Replies in memory, for clocks that jump."""

    def __init__(self) -> None:
        self.replies: dict[str, KnownReply] = {}

    async def find(self, key: str) -> KnownReply | None:
        await asyncio.sleep(0)
        return self.replies.get(key)

    async def keep(self, key: str, owner: str, reply: KnownReply) -> None:
        await asyncio.sleep(0)
        self.replies[key] = reply


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(tmp_path / "cache.db")
    await database.prepare()
    yield database
    await database.close()


@pytest.fixture
async def known(database: Database) -> AsyncIterator[SqlReplyCache]:
    writer = Writer(database.writer)
    yield SqlReplyCache(database, writer)
    await writer.close()


async def test_an_equal_call_of_another_task_is_answered_at_no_cost_and_marked(known: SqlReplyCache) -> None:
    make = Maker()
    first = await CachedCalls(known).complete(CALL, "openai", make)
    again = CALL.model_copy(update={"task_id": "t2", "scope": "task:t2"})
    second = await CachedCalls(known).complete(again, "openai", make)

    assert make.made == 1
    assert (first.cache_hit, first.cost, first.reply.usage) == (False, 7, PAID)
    assert (second.provider, second.model) == (first.provider, first.model) == ("groq", "llama")
    assert (second.cache_hit, second.cost, second.reply.usage, second.attempts) == (True, 0, Usage(), 0)
    assert second.reply == first.reply.model_copy(update={"usage": Usage()})


@pytest.mark.parametrize("finish", [FinishReason.LENGTH, FinishReason.CONTENT_FILTER])
async def test_a_reply_that_is_not_complete_is_not_kept(known: SqlReplyCache, finish: FinishReason) -> None:
    make, calls = Maker(finish), CachedCalls(known)
    assert (await calls.complete(CALL, "openai", make)).reply.finish_reason is finish
    second = await calls.complete(CALL, "openai", make)
    assert (second.cache_hit, second.reply.message.content) == (False, "answer 2")


async def test_a_reply_with_tool_calls_is_kept(known: SqlReplyCache) -> None:
    make, calls = Maker(FinishReason.TOOL_CALLS), CachedCalls(known)
    await calls.complete(CALL, "openai", make)
    assert (await calls.complete(CALL, "openai", make)).cache_hit


async def test_a_call_that_fails_is_not_kept(known: SqlReplyCache) -> None:
    make, calls = Maker(ModelOverloaded()), CachedCalls(known)
    with pytest.raises(ModelOverloaded):
        await calls.complete(CALL, "openai", make)
    assert not (await calls.complete(CALL, "openai", make)).cache_hit


@pytest.mark.parametrize(
    "change",
    [
        {"owner": "somebody else"},
        {"request": {"model": "n"}},
        {"request": {"messages": (UserMessage(content="hello "),)}},
        {"request": {"messages": (SystemMessage(content="hello"),)}},
        {"request": {"messages": (PICTURE,)}},
        {"request": {"messages": (*REQUEST.messages, AssistantMessage(content=""))}},
        {"request": {"tools": (TOOL,)}},
        {"request": {"json_schema": {"type": "object"}}},
        {"request": {"max_output_tokens": 101}},
        {"request": {"temperature": 0.0}},
    ],
)
def test_whatever_the_answer_depends_on_makes_another_key(change: dict[str, Any]) -> None:
    if "request" in change:
        change = {"request": REQUEST.model_copy(update=change["request"])}
    assert cache_key(CALL.model_copy(update=change), "openai") != cache_key(CALL, "openai")
    assert cache_key(CALL, "groq") != cache_key(CALL, "openai")


def test_every_field_of_a_request_is_part_of_the_key() -> None:
    sample: dict[str, Any] = {
        "model": "n",
        "messages": (),
        "tools": (TOOL,),
        "json_schema": {},
        "max_output_tokens": 1,
        "temperature": 1.0,
    }
    for name in ModelRequest.model_fields:
        changed = CALL.model_copy(update={"request": REQUEST.model_copy(update={name: sample[name]})})
        assert cache_key(changed, "openai") != cache_key(CALL, "openai"), name


@pytest.mark.parametrize("field", ["task_id", "subtask_id", "specialist", "purpose", "scope"])
def test_who_asks_for_what_is_no_part_of_the_key(field: str) -> None:
    assert cache_key(CALL.model_copy(update={field: "other"}), "openai") == cache_key(CALL, "openai")


async def test_of_equal_calls_at_the_same_time_one_is_made_and_the_others_cost_nothing(known: SqlReplyCache) -> None:
    make, calls = Maker(), CachedCalls(known)
    done = await asyncio.gather(*(calls.complete(CALL, "openai", make) for _ in range(20)))
    assert make.made == 1
    assert [each.cache_hit for each in done] == [False] + [True] * 19
    assert sum(each.cost for each in done) == 7
    assert {each.reply.message.content for each in done} == {"answer 1"}


async def test_when_the_first_one_fails_the_next_one_is_made(known: SqlReplyCache) -> None:
    make, calls = Maker(ModelOverloaded(), ModelOverloaded()), CachedCalls(known)
    done = await asyncio.gather(*(calls.complete(CALL, "openai", make) for _ in range(5)), return_exceptions=True)
    assert make.made == 3
    assert [type(each).__name__ for each in done[:2]] == ["ModelOverloaded"] * 2
    assert [each.cache_hit for each in done[2:] if isinstance(each, Completion)] == [False, True, True]


async def test_when_the_first_one_is_cancelled_the_next_one_is_made(known: SqlReplyCache) -> None:
    make, calls = Maker(), CachedCalls(known)
    make.may_end.clear()
    first, second, third = (asyncio.create_task(calls.complete(CALL, "openai", make)) for _ in range(3))
    await make.begun.wait()
    first.cancel()
    make.may_end.set()
    assert [each.cache_hit for each in await asyncio.gather(second, third)] == [False, True]
    assert first.cancelled()


async def test_one_that_waits_can_be_cancelled_and_the_others_are_answered(known: SqlReplyCache) -> None:
    make, calls = Maker(), CachedCalls(known)
    make.may_end.clear()
    first, second, third = (asyncio.create_task(calls.complete(CALL, "openai", make)) for _ in range(3))
    await make.begun.wait()
    await asyncio.sleep(0)
    second.cancel()
    make.may_end.set()
    assert [each.cache_hit for each in await asyncio.gather(first, third)] == [False, True]
    assert make.made == 1


async def test_other_calls_do_not_wait(known: SqlReplyCache) -> None:
    slow, calls = Maker(), CachedCalls(known)
    slow.may_end.clear()
    waiting = asyncio.create_task(calls.complete(CALL, "openai", slow))
    await slow.begun.wait()
    other = await calls.complete(CALL, "groq", Maker())
    assert not other.cache_hit
    slow.may_end.set()
    assert (await waiting).reply.message.content == "answer 1"


async def test_without_a_cache_that_works_calls_are_made(known: SqlReplyCache, database: Database) -> None:
    with database.writer.begin() as connection:
        connection.execute(text("DROP TABLE reply_cache"))
    make, calls = Maker(), CachedCalls(known)
    assert (await calls.complete(CALL, "openai", make)).reply.message.content == "answer 1"
    assert (await calls.complete(CALL, "openai", make)).reply.message.content == "answer 2"
    done = await asyncio.gather(*(calls.complete(CALL, "openai", make) for _ in range(3)))
    assert [each.cache_hit for each in done] == [False, True, True]


ENDS = st.sampled_from(["stop", "stop", "length", "fail", "hang"])
PLANS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1), ENDS, st.integers(1, 6)), min_size=1, max_size=12)


@given(PLANS)
def test_of_one_key_no_two_calls_are_under_way_and_nobody_waits_for_ever(
    plan: list[tuple[int, int, str, int]],
) -> None:
    virtual_time.run(_play(plan))


async def _play(plan: list[tuple[int, int, str, int]]) -> None:
    """Callers that come at a time, ask one of two questions, end in a way, and wait no longer than so many seconds."""
    shelf = Shelf()
    calls = CachedCalls(shelf)
    under_way: set[int] = set()
    kept: set[int] = set()

    def maker(question: int, end: str) -> Callable[[], Awaitable[Completion]]:
        async def make() -> Completion:
            assert question not in under_way
            assert question not in kept
            under_way.add(question)
            try:
                await asyncio.sleep(100 if end == "hang" else 1)
            finally:
                under_way.discard(question)
            if end == "fail":
                raise ModelOverloaded
            if end == "stop":
                kept.add(question)
            return Completion(reply=reply_of(str(question), FinishReason(end)), cost=NanoUsd(1))

        return make

    async def caller(at: int, question: int, end: str, patience: int) -> None:
        await asyncio.sleep(at)
        request = REQUEST.model_copy(update={"model": str(question)})
        call = CALL.model_copy(update={"request": request})
        try:
            async with asyncio.timeout(patience + 0.5):
                completion = await calls.complete(call, "p", maker(question, end))
        except (ModelOverloaded, TimeoutError):
            return
        assert completion.reply.message.content == str(question)
        assert completion.cost == (0 if completion.cache_hit else 1)

    await asyncio.gather(*(caller(*each) for each in plan))
    assert len(shelf.replies) == len(kept)
    assert not under_way
