"""The gateway with a response cache and a redactor: who is asked, what is sent, and what the ledger says."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from domain.chat import ModelRequest, UserMessage
from domain.errors import ModelRequestRejected
from domain.redaction import Redactor
from gateway.base import Call
from gateway.gateway import Gateway
from storage.database import Database
from storage.reply_cache import SqlReplyCache
from storage.writer import Writer
from tests.gateway.house import Purse, Voice, call, upstream

SECRET = "not-a-secret-0123456789"


@pytest.fixture
async def cache(tmp_path: Path) -> AsyncIterator[SqlReplyCache]:
    database = Database(tmp_path / "cache.db")
    await database.prepare()
    writer = Writer(database.writer)
    yield SqlReplyCache(database, writer)
    await writer.close()
    await database.close()


async def test_an_equal_call_is_answered_from_the_cache_for_nothing_and_stands_in_the_ledger(
    cache: SqlReplyCache,
) -> None:
    purse, voice = Purse(), Voice("first")
    gateway = Gateway([upstream(voice)], purse, known=cache)

    paid = await gateway.complete(call("first/m", cacheable=True))
    hit = await gateway.collect(call("first/m", cacheable=True, task_id="another"))
    again = await gateway.complete(call("first/m"))

    assert len(voice.requests) == 2, "only who asks for it is answered from the cache"
    assert (paid.cache_hit, hit.cache_hit, again.cache_hit) == (False, True, False)
    assert hit.reply.message == paid.reply.message
    assert (hit.provider, hit.model, hit.cost, hit.attempts) == ("first", "m", 0, 0)
    entry = purse.settled[1]
    assert (entry.cache_hit, entry.cost, entry.usage.total_tokens) == (True, 0, 0)
    assert purse.attempts[entry.attempt_id].task_id == "another"


async def test_a_hit_names_the_model_that_gave_the_reply(cache: SqlReplyCache) -> None:
    purse = Purse()
    gateway = Gateway([upstream(Voice("first", ModelRequestRejected())), upstream(Voice("second"))], purse, known=cache)

    answers = [await gateway.complete(call("first/a, second/b", cacheable=True)) for _ in range(2)]

    assert [(one.provider, one.model, one.cache_hit) for one in answers] == [
        ("second", "b", False),
        ("second", "b", True),
    ]
    assert purse.attempts[purse.settled[-1].attempt_id].model == "b"


async def test_two_servers_of_the_same_name_do_not_share_answers(cache: SqlReplyCache) -> None:
    for place in ("http://one", "http://two"):
        voice = Voice("first")
        one = upstream(voice)
        one.place = place
        await Gateway([one], Purse(), known=cache).complete(call("first/m", cacheable=True))
        assert len(voice.requests) == 1


async def test_no_secret_leaves_in_a_prompt() -> None:
    voice = Voice("first")
    gateway = Gateway([upstream(voice)], Purse(), redactor=Redactor([SecretStr(SECRET)]))
    request = ModelRequest(model="first/m", messages=(UserMessage(content=f"my key is {SECRET}, keep it"),))

    await gateway.complete(Call(request=request, task_id="t", purpose="test", scope="task:t"))

    assert voice.requests[0].messages[0].content == "my key is [key], keep it"
