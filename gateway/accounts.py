"""The gateway's side of the ledger: nothing is sent before its reservation is durable, and nothing waits afterwards."""

import asyncio
import contextlib
import uuid
from typing import Any

from domain.errors import SoundstageError, StorageUnavailable
from domain.ledger import Attempt, AttemptOutcome, BudgetAlert, Ledger, Settlement
from domain.money import FREE
from gateway.base import Call, Completion
from gateway.pricing import Prices


def attempt_of(call: Call, **of_the_send: Any) -> Attempt:
    """A send on the account of a call."""
    return Attempt(
        id=uuid.uuid4().hex, scope=call.scope, task_id=call.task_id, subtask_id=call.subtask_id, owner=call.owner,
        specialist=call.specialist, purpose=call.purpose, **of_the_send,
    )  # fmt: skip


class Accounts:
    """Reserves and settles. A settlement is queued at once and not waited for: what it could lose in a power cut
    is still reserved, and is settled at that amount later. One that the storage could not take is written before the
    next reservation."""

    def __init__(self, ledger: Ledger, prices: Prices) -> None:
        self.prices = prices
        self._ledger = ledger
        self._under_way: dict[asyncio.Future[None], Settlement] = {}
        self._unwritten: list[Settlement] = []

    async def reserve(self, attempt: Attempt) -> tuple[BudgetAlert, ...]:
        """Holds the attempt's amounts, durably. BudgetExceeded, StorageUnavailable."""
        await self._write_again()
        reserving = asyncio.ensure_future(self._ledger.reserve(attempt))
        try:
            return await asyncio.shield(reserving)
        except asyncio.CancelledError:
            # The reservation may be written already: it is waited for and given back, or it would be held for ever.
            await asyncio.shield(self._give_back(attempt, reserving))
            raise

    async def _give_back(self, attempt: Attempt, reserving: "asyncio.Future[tuple[BudgetAlert, ...]]") -> None:
        with contextlib.suppress(SoundstageError):
            await reserving
            self.settle(Settlement(attempt_id=attempt.id, outcome=AttemptOutcome.CANCELLED))

    def settle(self, settlement: Settlement) -> None:
        """Has the reservation turned into a ledger entry."""
        settling = asyncio.ensure_future(self._ledger.settle(settlement))
        self._under_way[settling] = settlement
        settling.add_done_callback(self._settled)

    async def enter_hit(self, call: Call, completion: Completion) -> None:
        """Writes down a call that was answered from the cache."""
        provider, model = completion.provider, completion.model
        attempt = attempt_of(call, provider=provider, model=model, reserved=FREE, reserved_tokens=0)
        outcome, latency_s = AttemptOutcome.OK, completion.latency_s
        hit = Settlement(attempt_id=attempt.id, outcome=outcome, latency_s=latency_s, cache_hit=True)
        await self._ledger.enter(attempt, hit)

    def _settled(self, settling: "asyncio.Future[None]") -> None:
        settlement = self._under_way.pop(settling)
        error = None if settling.cancelled() else settling.exception()
        if settling.cancelled() or isinstance(error, StorageUnavailable):
            self._unwritten.append(settlement)
        elif error is not None:
            # Once more is no use. It stays reserved, and is settled at that amount when the reservation expires.
            told = {"message": f"attempt {settlement.attempt_id} cannot be settled", "exception": error}
            settling.get_loop().call_exception_handler(told)

    async def settled(self) -> None:
        """Waits until all settlements are durable. StorageUnavailable when one cannot be written."""
        while self._under_way:
            await asyncio.wait(self._under_way)
        await self._write_again()

    async def _write_again(self) -> None:
        while self._unwritten:
            settlement = self._unwritten.pop()
            try:
                await self._ledger.settle(settlement)
            except BaseException:
                self._unwritten.append(settlement)
                raise
