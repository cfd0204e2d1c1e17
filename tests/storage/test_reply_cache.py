"""The response cache in the database: bounded in bytes and age, and it forgets what nobody used."""

import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.chat import AssistantMessage, FinishReason, ModelReply, ToolCall, Usage
from domain.reply_cache import KnownReply
from storage.database import Database
from storage.reply_cache import ROW_BYTES, CacheLimits, SqlReplyCache
from storage.writer import Writer

CALL = ToolCall(id="c", name="write", arguments='{"path": "ä.py"}')
REPLY = KnownReply(
    reply=ModelReply(
        message=AssistantMessage(content="It is done.", tool_calls=(CALL,)),
        usage=Usage(input_tokens=3, output_tokens=2, cached_tokens=1),
        finish_reason=FinishReason.TOOL_CALLS,
        reasoning="I thought about it.",
    ),
    provider="groq",
    model="openai/gpt-oss-20b",
)
EMPTY = ModelReply(message=AssistantMessage(), usage=Usage(), finish_reason=FinishReason.STOP)
SMALL = KnownReply(reply=EMPTY, provider="p", model="m")
ROOM = len(SMALL.model_dump_json()) + ROW_BYTES


def of_size(characters: int) -> KnownReply:
    reply = EMPTY.model_copy(update={"message": AssistantMessage(content="x" * characters)})
    return SMALL.model_copy(update={"reply": reply})


@pytest.fixture
def cache(database: Database, writer: Writer) -> SqlReplyCache:
    return SqlReplyCache(database, writer)


async def test_what_was_kept_is_found_as_it_was(cache: SqlReplyCache, database: Database, writer: Writer) -> None:
    await cache.keep("k", "local", REPLY)
    assert await cache.find("k") == REPLY
    assert await SqlReplyCache(database, writer).find("k") == REPLY
    assert await cache.find("other") is None


async def test_a_newer_reply_takes_the_place_of_an_older_one(cache: SqlReplyCache) -> None:
    await cache.keep("k", "local", REPLY)
    await cache.keep("k", "local", SMALL)
    assert await cache.find("k") == SMALL


async def test_a_row_says_whose_it_is(cache: SqlReplyCache, stranger: sqlite3.Connection) -> None:
    await cache.keep("k", "ada", REPLY)
    (row,) = stranger.execute("SELECT * FROM reply_cache").fetchall()
    assert (row["key"], row["owner"], row["size"]) == ("k", "ada", len(REPLY.model_dump_json().encode()) + ROW_BYTES)


async def test_what_was_not_used_for_the_longest_time_makes_room(database: Database, writer: Writer) -> None:
    cache = SqlReplyCache(database, writer, CacheLimits(most_bytes=3 * ROOM))
    for key in ("a", "b", "c"):
        await cache.keep(key, "local", SMALL)
    assert await cache.find("a") == SMALL
    await cache.keep("d", "local", SMALL)
    assert [await cache.find(key) is not None for key in "abcd"] == [True, False, False, True]


async def test_a_reply_that_is_larger_than_the_cache_is_not_kept_and_drops_nothing(
    database: Database, writer: Writer
) -> None:
    cache = SqlReplyCache(database, writer, CacheLimits(most_bytes=2 * ROOM))
    await cache.keep("a", "local", SMALL)
    await cache.keep("b", "local", of_size(ROOM + 1))
    assert await cache.find("a") == SMALL
    assert await cache.find("b") is None


async def test_a_reply_that_fills_the_cache_is_kept(database: Database, writer: Writer) -> None:
    cache = SqlReplyCache(database, writer, CacheLimits(most_bytes=2 * ROOM))
    await cache.keep("a", "local", SMALL)
    await cache.keep("b", "local", of_size(ROOM))
    assert await cache.find("a") is None
    assert await cache.find("b") == of_size(ROOM)


async def test_a_reply_that_is_too_old_is_not_found_and_goes_with_the_next_one(
    cache: SqlReplyCache, stranger: sqlite3.Connection
) -> None:
    await cache.keep("old", "local", REPLY)
    stranger.execute("UPDATE reply_cache SET made_at = '2020-01-01T00:00:00.000000+00:00'")
    assert await cache.find("old") is None
    await cache.keep("new", "local", REPLY)
    assert [row["key"] for row in stranger.execute("SELECT key FROM reply_cache")] == ["new"]


async def test_a_reply_of_another_version_is_not_found(cache: SqlReplyCache, stranger: sqlite3.Connection) -> None:
    await cache.keep("k", "local", REPLY)
    stranger.execute("""UPDATE reply_cache SET reply = '{"message": {"role": "oracle"}}'""")
    assert await cache.find("k") is None


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(kept=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2_000), st.integers(0, 9)), max_size=20))
async def test_it_never_holds_more_than_it_may_and_always_the_newest(
    database: Database, writer: Writer, kept: list[tuple[int, int, int]]
) -> None:
    most = 12 * ROOM
    cache = SqlReplyCache(database, writer, CacheLimits(most_bytes=most))
    for key, size, used in kept:
        await cache.keep(str(key), "local", of_size(size))
        assert await cache.find(str(key)) == of_size(size)
        await cache.find(str(used))
        with database.writer.connect() as connection:
            assert (connection.exec_driver_sql("SELECT SUM(size) FROM reply_cache").scalar() or 0) <= most


async def test_several_processes_that_share_it_stay_near_the_bound(database: Database, writer: Writer) -> None:
    most = 40 * ROOM
    caches = [SqlReplyCache(database, writer, CacheLimits(most_bytes=most)) for _ in range(2)]
    for number in range(120):
        await caches[number % 2].keep(f"k{number}", "local", SMALL)
    with database.writer.connect() as connection:
        found = connection.exec_driver_sql("SELECT SUM(size) FROM reply_cache").scalar_one()
    assert most // 2 < found <= most + most // 8
