import asyncio
import threading
from collections.abc import AsyncGenerator, Sequence
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection

from domain.chat import AssistantMessage, Delta, ModelReply, ModelRequest, ToolMessage, UserMessage
from domain.errors import (
    BudgetExceeded,
    ModelAuthenticationFailed,
    ModelConnectionFailed,
    ModelOverloaded,
    ModelProtocolError,
    ModelTimeout,
    SoundstageError,
    StorageUnavailable,
)
from domain.ledger import Scope, Settlement
from domain.money import FREE, NanoUsd
from domain.tariff import WrittenPrice
from domain.tokens import estimate_most
from gateway.adapters.openai_adapter import OpenAIProvider
from gateway.base import Completion, Endpoint
from gateway.deadlines import Deadlines
from gateway.knowledge import Knowledge
from gateway.policy import GatewayPolicy, RetryPolicy
from gateway.pricing import Prices
from gateway.scripted import Line, Scene, ScriptedProvider
from storage.ledger import SqlLedger
from tests.gateway import virtual_time
from tests.gateway.books import CALL, REQUEST, SWIFT, Books, over_the_wire
from tests.gateway.house import Purse, single
from tests.wire.openai_dialect import OpenAIServer
from tests.wire.replies import Break, Refuse, Reply, Say, Trouble

SCENES = (Scene(when=(), lines=(Line(text="hello there"),)),)
PRICES = Prices()
WRITTEN = WrittenPrice(provider="openai-compatible", id="gpt-*", input=Decimal(1), output=Decimal(1))
ONCE = RetryPolicy(attempts=1)
MOST = estimate_most(REQUEST)


class Witness(ScriptedProvider):
    """Speaks a line, and writes down what the books held when the request arrived."""

    def __init__(self, books: Books) -> None:
        super().__init__(SCENES)
        self._books = books
        self.held: list[tuple[int, int, str]] = []

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta | ModelReply]:
        rows = await self._books.reservations()
        self.held += [(row["reserved"], row["reserved_tokens"], row["scope"]) for row in rows]
        async for piece in super().stream(request):
            yield piece


class Hanging(ScriptedProvider):
    """Says something, or nothing, and then never anything again."""

    def __init__(self, said: str = "") -> None:
        super().__init__(SCENES)
        self._said = said
        self.reached = asyncio.Event()
        self.left = False

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta | ModelReply]:
        try:
            if self._said:
                yield Delta(text=self._said)
            self.reached.set()
            await asyncio.Event().wait()
        finally:
            self.left = True


async def test_the_provider_receives_what_it_accepts_whatever_the_conversation_looks_like(books: Books) -> None:
    stray = ToolMessage(tool_call_id="nobody", content="?")
    messages = (AssistantMessage(content="Where were we?"), UserMessage(content=""), stray, UserMessage(content="Go!"))
    call = CALL.model_copy(update={"request": REQUEST.model_copy(update={"messages": messages})})
    async with OpenAIServer([Say("going")]) as server:
        model = OpenAIProvider(Endpoint(name="openai", base_url=server.url))
        await single(model, books.ledger).complete(call)
        await model.close()

    assert [message["role"] for message in server.chats[0]["messages"]] == ["user", "assistant", "user"]


async def test_the_worst_case_is_reserved_before_the_send_and_what_was_used_is_settled_after_it(books: Books) -> None:
    model = Witness(books)

    completion = await single(model, books.ledger).collect(CALL)

    assert model.held == [(0, MOST.total_tokens, "task:t1")]
    (entry,) = await books.entries()
    columns = ("task_id", "subtask_id", "specialist", "purpose", "provider", "model", "outcome")
    assert [entry[name] for name in columns] == ["t1", "s1", "code", "work", "scripted", "gpt-4o-mini", "ok"]
    assert (entry["input_tokens"], entry["output_tokens"]) == (
        completion.reply.usage.input_tokens,
        completion.reply.usage.output_tokens,
    )
    assert (await books.spent()).settled_tokens == completion.reply.usage.total_tokens
    assert (completion.attempts, completion.cost, completion.priced) == (1, FREE, True)


async def test_every_attempt_has_exactly_one_entry_also_when_it_fails(books: Books) -> None:
    faults = [ModelOverloaded(), ModelConnectionFailed(), None]

    completion = await single(
        ScriptedProvider(SCENES, faults=faults), books.ledger, GatewayPolicy(retry=SWIFT)
    ).collect(CALL)

    assert completion.attempts == 3
    assert await books.outcomes() == [("failed", "ModelOverloaded"), ("failed", "ModelConnectionFailed"), ("ok", "")]
    assert (await books.spent()).settled_tokens == completion.reply.usage.total_tokens


@pytest.mark.parametrize(
    ("replies", "error", "sends"),
    [
        ([Refuse(500), Say("hi")], None, 2),
        ([Refuse(529), Refuse(503), Say("hi")], None, 3),
        ([Break(Trouble.RESET, after=3), Say("hi")], None, 2),
        ([Break(Trouble.HANG), Say("hi")], None, 2),
        ([Refuse(500)] * 4, ModelOverloaded, 3),
        ([Refuse(401), Say("hi")], ModelAuthenticationFailed, 1),
        ([Say("hi", finish=None), Say("hi")], ModelProtocolError, 1),
    ],
    ids=["500", "529 and 503", "reset", "hang", "500 for ever", "401", "no finish"],
)
async def test_another_try_is_made_where_it_is_worth_one_and_each_send_is_booked(
    books: Books, replies: Sequence[Reply], error: type[SoundstageError] | None, sends: int
) -> None:
    raised, requests = await over_the_wire(books, replies)

    assert type(raised) is (error or type(None))
    assert requests == sends == len(await books.entries())
    await books.spent()


async def test_the_pause_that_the_provider_asks_for_is_kept_and_not_ours(books: Books) -> None:
    for_ever = RetryPolicy(attempts=2, pause_s=10_000, longest_pause_s=10_000)

    assert await over_the_wire(books, [Refuse(429, headers={"Retry-After": "0"}), Say("hi")], for_ever) == (None, 2)


async def test_a_pause_longer_than_our_patience_ends_the_call_at_once(books: Books) -> None:
    raised, requests = await over_the_wire(books, [Refuse(429, headers={"Retry-After": "3600"}), Say("hi")])

    assert isinstance(raised, ModelOverloaded)
    assert (raised.retry_after_s, requests) == (3600, 1)


@pytest.mark.parametrize("said", ["half of it", ""], ids=["after a piece", "before any"])
async def test_a_call_that_is_cancelled_leaves_an_entry_and_no_reservation(books: Books, said: str) -> None:
    model = Hanging(said)
    calling = asyncio.ensure_future(single(model, books.ledger).collect(CALL))
    await model.reached.wait()

    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling

    assert model.left
    assert await books.outcomes() == [("cancelled", "CancelledError")]
    spending = await books.spent()
    if said:
        assert (await books.entries())[0]["estimated"] == 1
        assert spending.settled_tokens > MOST.input_tokens


class Door:
    """Holds the ledger's writer up, as a slow disk would."""

    def __init__(self, books: Books) -> None:
        self._opened = threading.Event()
        self._job = asyncio.ensure_future(books.writer.submit(self._wait))

    def _wait(self, _connection: Connection) -> None:
        assert self._opened.wait(30)

    async def reached_by(self, other: "asyncio.Future[Any]") -> None:
        """Lets the other side run until it waits at the door."""
        for _ in range(20):
            await asyncio.sleep(0)
        assert not other.done()

    async def open(self) -> None:
        self._opened.set()
        await self._job


@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
async def test_a_call_that_is_cancelled_while_it_reserves_holds_nothing_for_ever(books: Books, times: int) -> None:
    door = Door(books)
    model = ScriptedProvider(SCENES)
    calling = asyncio.ensure_future(single(model, books.ledger).collect(CALL))
    await door.reached_by(calling)

    for _ in range(times):
        calling.cancel()
        await asyncio.wait([calling], timeout=0.05)
    await door.open()
    with pytest.raises(asyncio.CancelledError):
        await calling
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)
    await books.writer.close()

    assert model.requests == []
    await books.spent()


class Unhurried(SqlLedger):
    """Thinks before it settles."""

    def __init__(self, books: Books) -> None:
        super().__init__(books.writer)
        self.reached, self.go, self.settled = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def settle(self, settlement: Settlement) -> None:
        self.reached.set()
        await self.go.wait()
        await super().settle(settlement)
        self.settled.set()


async def test_a_call_does_not_wait_for_its_settlement_which_is_made_all_the_same(books: Books) -> None:
    ledger = Unhurried(books)
    gateway = single(ScriptedProvider(SCENES), ledger)
    await asyncio.wait_for(gateway.collect(CALL), 60)
    assert not ledger.settled.is_set()

    ledger.go.set()
    await asyncio.wait_for(gateway.settled(), 60)

    assert await books.outcomes() == [("ok", "")]
    await books.spent()


class Full(SqlLedger):
    """Writes no settlement while the disk is full."""

    full = True

    async def settle(self, settlement: Settlement) -> None:
        if self.full:
            raise StorageUnavailable
        await super().settle(settlement)


async def test_a_settlement_that_could_not_be_written_is_written_before_the_next_call(books: Books) -> None:
    ledger = Full(books.writer)
    model = ScriptedProvider(SCENES)
    gateway = single(model, ledger)
    await gateway.collect(CALL)
    with pytest.raises(StorageUnavailable):
        await gateway.settled()
    with pytest.raises(StorageUnavailable):
        await gateway.collect(CALL)
    assert len(model.requests) == 1

    ledger.full = False
    await gateway.collect(CALL)
    await gateway.settled()

    assert await books.outcomes() == [("ok", ""), ("ok", "")]
    await books.spent()


async def test_a_settlement_that_can_never_be_written_is_reported_and_stops_no_other_call(books: Books) -> None:
    class Bewildered(SqlLedger):
        first = True

        async def settle(self, settlement: Settlement) -> None:
            if self.first:
                self.first = False
                raise OverflowError("too large an integer")
            await super().settle(settlement)

    gateway = single(ScriptedProvider(SCENES), Bewildered(books.writer))
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: reported.append(told))

    await gateway.collect(CALL)
    await gateway.collect(CALL)
    await gateway.settled()

    assert await books.outcomes() == [("ok", "")]
    assert [type(told["exception"]) for told in reported] == [OverflowError]


async def test_a_model_that_ends_without_a_reply_does_not_speak_the_protocol(books: Books) -> None:
    class Breathless(ScriptedProvider):
        async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta | ModelReply]:
            yield Delta(text="half of it")

    with pytest.raises(ModelProtocolError):
        await single(Breathless(SCENES), books.ledger).collect(CALL)

    assert await books.outcomes() == [("failed", "ModelProtocolError")]
    await books.spent()


async def test_a_model_that_is_late_is_left_and_the_call_is_booked_as_failed(books: Books) -> None:
    model = Hanging("half of it")
    deadlines = Deadlines(between_s=0.05)

    with pytest.raises(ModelTimeout):
        await single(model, books.ledger, GatewayPolicy(deadlines=deadlines, retry=ONCE)).collect(CALL)

    assert model.left
    assert await books.outcomes() == [("failed", "ModelTimeout")]
    assert (await books.spent()).settled_tokens > MOST.input_tokens


@pytest.mark.parametrize(
    ("error", "shortest", "longest"),
    [(ModelOverloaded(retry_after_s=7.25), 14.5, 14.5), (ModelTimeout(), 6, 12)],
    ids=["theirs", "ours, doubled and with jitter"],
)
def test_the_pauses_between_the_tries_are_really_waited_for(
    error: SoundstageError, shortest: float, longest: float
) -> None:
    async def elapsed() -> float:
        gateway = single(
            ScriptedProvider(SCENES, faults=[error, error]), Purse(), GatewayPolicy(retry=RetryPolicy(pause_s=4))
        )
        await gateway.collect(CALL)
        return asyncio.get_running_loop().time()

    assert shortest <= virtual_time.run(elapsed()) <= longest


@pytest.mark.parametrize(
    ("scope", "fits"),
    [
        (Scope(id="task:t1", token_cap=MOST.total_tokens), True),
        (Scope(id="task:t1", token_cap=MOST.total_tokens - 1), False),
        (Scope(id="task:t1", cap=PRICES.cost("openai", "gpt-4o-mini", MOST)), True),
        (Scope(id="task:t1", cap=NanoUsd((PRICES.cost("openai", "gpt-4o-mini", MOST) or 0) - 1)), False),
    ],
    ids=["tokens enough", "one token too few", "money enough", "one nano too little"],
)
async def test_a_budget_that_the_worst_case_could_break_stops_the_call_before_the_send(
    books: Books, scope: Scope, fits: bool
) -> None:
    await books.ledger.open(scope)

    raised, requests = await over_the_wire(books, [Say("hi")])

    assert type(raised) is (type(None) if fits else BudgetExceeded)
    assert requests == len(await books.entries()) == int(fits)
    await books.spent()


async def test_a_budget_that_is_used_up_by_failures_stops_the_next_try(books: Books) -> None:
    """Half an answer was streamed and is paid for, so the second try does not fit any more."""
    await books.ledger.open(Scope(id="task:t1", token_cap=MOST.total_tokens))

    raised, requests = await over_the_wire(books, [Break(Trouble.RESET, after=5), Say("hi")])

    assert isinstance(raised, BudgetExceeded)
    assert requests == 1
    assert await books.outcomes() == [("failed", "ModelConnectionLost")]


async def test_a_model_without_a_known_price_is_marked_and_bound_by_tokens(books: Books) -> None:
    request = REQUEST.model_copy(update={"model": "home-grown"})
    async with OpenAIServer([Say("hi")]) as server:
        model = OpenAIProvider(Endpoint(name="openai-compatible", base_url=server.url))
        gateway = single(model, books.ledger)
        completion = await gateway.collect(CALL.model_copy(update={"request": request}))
        await books.ledger.open(Scope(id="task:t1", token_cap=100))
        with pytest.raises(BudgetExceeded):
            await gateway.collect(CALL.model_copy(update={"request": request}))
        await model.close()

    assert (completion.priced, completion.cost) == (False, FREE)
    (entry,) = await books.entries()
    assert (entry["priced"], entry["cost"]) == (0, 0)


@pytest.mark.parametrize(
    ("local", "written", "cost"),
    [(True, (), 0), (True, (WRITTEN,), 18_000), (False, (WRITTEN,), 18_000)],
    ids=["local", "local with a price", "with a price"],
)
async def test_a_local_endpoint_is_free_and_a_written_price_goes_before_that(
    books: Books, local: bool, written: tuple[WrittenPrice, ...], cost: int
) -> None:
    async with OpenAIServer([Say("hi")]) as server:
        model = OpenAIProvider(Endpoint(name="openai-compatible", base_url=server.url, local=local))
        completion = await single(model, books.ledger, knowledge=Knowledge(prices=Prices(written))).complete(CALL)
        await model.close()

    assert (completion.priced, completion.cost) == (True, cost)
    assert [(entry["priced"], entry["cost"]) for entry in await books.entries()] == [(1, cost)]


async def test_calls_at_once_never_hold_more_than_the_budget(books: Books) -> None:
    await books.ledger.open(Scope(id="task:t1", token_cap=3 * MOST.total_tokens))
    model = Hanging()
    calls = [asyncio.ensure_future(single(model, books.ledger).collect(CALL)) for _ in range(8)]

    refused: set[asyncio.Future[Completion]] = set()
    async with asyncio.timeout(60):
        while len(refused) < 5:
            done, _ = await asyncio.wait(set(calls) - refused, return_when=asyncio.FIRST_COMPLETED)
            refused |= done
    waiting = set(calls) - refused
    assert (len(waiting), len(await books.reservations())) == (3, 3)
    assert all(isinstance(call.exception(), BudgetExceeded) for call in refused)

    for call in waiting:
        call.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await books.spent()
