"""The gateway: reserve, send, settle; and another try where one is worth it."""

import asyncio
import contextlib
import time
import uuid

from domain.chat import ModelReply, Usage
from domain.errors import ModelProtocolError, ModelTimeout, SoundstageError
from domain.ledger import Attempt, AttemptOutcome, Ledger, Settlement
from domain.money import FREE
from gateway.base import Call, Completion, Delta, Provider
from gateway.deadlines import Deadlines, within
from gateway.pricing import estimate_input_tokens, estimate_usage, price
from gateway.retry import RetryPolicy
from gateway.sanitiser import sanitised


class Gateway:
    """Calls one model on somebody's account."""

    def __init__(
        self, provider: Provider, ledger: Ledger, deadlines: Deadlines | None = None, retry: RetryPolicy | None = None
    ) -> None:
        self._provider = provider
        self._ledger = ledger
        self._deadlines = deadlines or Deadlines()
        self._retry = retry or RetryPolicy()

    async def complete(self, call: Call) -> Completion:
        """The model's reply. BudgetExceeded before a send that could break a budget; else the model's error.

        Every send has a reservation before it and a ledger entry after it, also when it fails or is cancelled.
        """
        call = call.model_copy(update={"request": sanitised(call.request, self._provider.name)})
        tried = 0
        while True:
            tried += 1
            try:
                completion = await self._attempt(call)
                return completion.model_copy(update={"attempts": tried})
            except SoundstageError as error:
                pause = self._retry.pause(tried, error)
                if pause is None:
                    raise
                await asyncio.sleep(pause)

    async def _attempt(self, call: Call) -> Completion:
        attempt = self._price_attempt(call)
        await self._reserve(attempt)
        sending = _Sending(self._provider, call, self._deadlines)
        failure: BaseException | None = None
        try:
            reply = await sending.run()
        except BaseException as error:
            failure = error
            raise
        finally:
            settlement = self._settlement(attempt, call, sending, failure)
            # A caller who gives up in the middle still leaves a ledger entry.
            await asyncio.shield(self._ledger.settle(settlement))
        return Completion(reply=reply, cost=settlement.cost, priced=attempt.priced, latency_s=settlement.latency_s)

    async def _reserve(self, attempt: Attempt) -> None:
        reserving = asyncio.ensure_future(self._ledger.reserve(attempt))
        try:
            await asyncio.shield(reserving)
        except asyncio.CancelledError:
            # The reservation may be written already: it is waited for and given back, or it would be held for ever.
            await asyncio.shield(self._give_back(attempt, reserving))
            raise

    async def _give_back(self, attempt: Attempt, reserving: "asyncio.Future[None]") -> None:
        with contextlib.suppress(SoundstageError):
            await reserving
            await self._ledger.settle(Settlement(attempt_id=attempt.id, outcome=AttemptOutcome.CANCELLED))

    def _price_attempt(self, call: Call) -> Attempt:
        request = call.request
        most = Usage(input_tokens=estimate_input_tokens(request), output_tokens=request.max_output_tokens)
        cost = price(self._provider.name, request.model, most)
        return Attempt(
            id=uuid.uuid4().hex,
            scope=call.scope,
            task_id=call.task_id,
            subtask_id=call.subtask_id,
            owner=call.owner,
            specialist=call.specialist,
            purpose=call.purpose,
            provider=self._provider.name,
            model=request.model,
            reserved=cost or FREE,
            reserved_tokens=most.total_tokens,
            priced=cost is not None,
            expires_s=self._deadlines.total_s + 60,
        )

    def _settlement(
        self, attempt: Attempt, call: Call, sending: "_Sending", failure: BaseException | None
    ) -> Settlement:
        usage = sending.usage(call, failure)
        outcome = AttemptOutcome.OK
        if failure is not None:
            cancelled = isinstance(failure, asyncio.CancelledError)
            outcome = AttemptOutcome.CANCELLED if cancelled else AttemptOutcome.FAILED
        return Settlement(
            attempt_id=attempt.id,
            outcome=outcome,
            usage=usage,
            cost=price(attempt.provider, attempt.model, usage) or FREE,
            latency_s=sending.seconds(),
            first_token_s=sending.first_token_s,
            error=type(failure).__name__ if failure is not None else "",
        )


class _Sending:
    """One send: what came of it so far."""

    def __init__(self, provider: Provider, call: Call, deadlines: Deadlines) -> None:
        self._stream = within(deadlines, provider.stream(call.request))
        self._started = time.monotonic()
        self._reply: ModelReply | None = None
        self._said = ""
        self.first_token_s: float | None = None

    async def run(self) -> ModelReply:
        """Reads the stream to its end."""
        async for piece in self._stream:
            if self.first_token_s is None:
                self.first_token_s = self.seconds()
            match piece:
                case Delta():
                    self._said += piece.text + piece.reasoning
                case ModelReply():
                    self._reply = piece
        if self._reply is None:
            raise ModelProtocolError("The provider's answer ended before it was complete. Run it again.")
        return self._reply

    def usage(self, call: Call, failure: BaseException | None) -> Usage:
        """What the provider said it used, or an estimate where it began to answer or may have without our knowing.

        Nothing for a request that it refused.
        """
        if self._reply is not None:
            return self._reply.usage
        unknown = isinstance(failure, ModelTimeout | asyncio.CancelledError)
        return estimate_usage(call.request, self._said) if unknown or self.first_token_s is not None else Usage()

    def seconds(self) -> float:
        """Since the send."""
        return time.monotonic() - self._started
