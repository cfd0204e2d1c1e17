"""One physical send: it is reserved for, sent, watched, and settled, however it ends."""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator

from domain.chat import ModelReply, ModelRequest, Usage
from domain.errors import BudgetExceeded, ModelConnectionLost, ModelProtocolError, ModelTimeout, SoundstageError
from domain.ledger import Attempt, AttemptOutcome, Settlement
from domain.money import FREE, NanoUsd, format_usd
from gateway.accounts import Accounts
from gateway.base import Call, Completion, Delta, Provider
from gateway.deadlines import Deadlines, within
from gateway.policy import GatewayPolicy
from gateway.pricing import Prices, estimate_input_tokens, estimate_usage

UNKNOWN = (ModelTimeout, ModelConnectionLost, ModelProtocolError)
"""Failures after which the provider may have answered all the same, and charge for it."""


class Send:
    """A request on its way to one provider with one key."""

    def __init__(self, call: Call, request: ModelRequest, provider: Provider, key_id: str = "") -> None:
        self._call = call
        self._request = request
        self._provider = provider
        self._key_id = key_id
        self._started = 0.0
        self._first_s: float | None = None
        self._said: list[str] = []
        self._reply: ModelReply | None = None

    @property
    def tokens(self) -> int:
        """The tokens that the provider said it used, or those that may have been."""
        return self._usage(None).total_tokens

    async def run(
        self, accounts: Accounts, policy: GatewayPolicy, streamed: bool
    ) -> AsyncGenerator[Delta | Completion]:
        """The pieces of the answer, where it is streamed, and then the completion.

        BudgetExceeded before a send that could break a budget. Every send has a reservation before it and a ledger
        entry after it, also when it fails or is left in the middle.
        """
        deadlines = policy.deadlines
        attempt = self._attempt(accounts.prices, deadlines)
        self._check_cost(attempt, policy.max_call_cost)
        alerts = await accounts.reserve(attempt)
        self._started = time.monotonic()
        failure: BaseException | None = None
        try:
            if streamed:
                async for piece in within(deadlines, self._provider.stream(self._request)):
                    if self._first_s is None:
                        self._first_s = self._seconds()
                    if isinstance(piece, ModelReply):
                        self._reply = piece
                    else:
                        self._said.append(piece.text + piece.reasoning)
                        yield piece
            else:
                self._reply = await _whole(deadlines, self._provider, self._request)
            if self._reply is None:
                raise ModelProtocolError("The provider's answer ended before it was complete. Run it again.")
        except BaseException as error:
            failure = error
            raise
        finally:
            settlement = self._settlement(attempt, accounts.prices, failure)
            accounts.settle(settlement)
        yield Completion(
            reply=self._reply,
            provider=self._provider.name,
            model=self._request.model,
            cost=settlement.cost,
            priced=attempt.priced,
            latency_s=settlement.latency_s,
            first_token_s=self._first_s,
            alerts=alerts,
        )

    def _check_cost(self, attempt: Attempt, usual: NanoUsd | None) -> None:
        most = usual if self._call.max_cost is None else self._call.max_cost
        if most is not None and attempt.reserved > most:
            raise BudgetExceeded(
                f"The call of {attempt.provider}/{attempt.model} may cost {format_usd(attempt.reserved)}, "
                f"and one call may cost {format_usd(most)}, so it was not made.",
                scope="call",
            )

    def _attempt(self, prices: Prices, deadlines: Deadlines) -> Attempt:
        call, request, provider = self._call, self._request, self._provider
        most = Usage(input_tokens=estimate_input_tokens(request), output_tokens=request.max_output_tokens)
        cost = prices.cost(provider.name, request.model, most, provider.local)
        return Attempt(
            id=uuid.uuid4().hex,
            scope=call.scope,
            task_id=call.task_id,
            subtask_id=call.subtask_id,
            owner=call.owner,
            specialist=call.specialist,
            purpose=call.purpose,
            provider=provider.name,
            model=request.model,
            key_id=self._key_id,
            reserved=cost or FREE,
            reserved_tokens=most.total_tokens,
            priced=cost is not None,
            expires_s=deadlines.total_s + 60,
        )

    def _settlement(self, attempt: Attempt, prices: Prices, failure: BaseException | None) -> Settlement:
        usage = self._usage(failure)
        outcome = AttemptOutcome.OK
        if failure is not None:
            outcome = AttemptOutcome.FAILED if isinstance(failure, SoundstageError) else AttemptOutcome.CANCELLED
        return Settlement(
            attempt_id=attempt.id,
            outcome=outcome,
            usage=usage,
            cost=prices.cost(attempt.provider, attempt.model, usage, self._provider.local) or FREE,
            latency_s=self._seconds(),
            first_token_s=self._first_s,
            error=type(failure).__name__ if failure is not None else "",
        )

    def _usage(self, failure: BaseException | None) -> Usage:
        """What the provider said it used, or an estimate where it began to answer or may have without our knowing.

        Nothing for a request that it refused.
        """
        if self._reply is not None:
            return self._reply.usage
        unknown = not isinstance(failure, SoundstageError) or isinstance(failure, UNKNOWN)
        if self._first_s is None and not unknown:
            return Usage()
        return estimate_usage(self._request, "".join(self._said))

    def _seconds(self) -> float:
        return time.monotonic() - self._started


async def _whole(deadlines: Deadlines, provider: Provider, request: ModelRequest) -> ModelReply:
    try:
        async with asyncio.timeout(deadlines.total_s):
            return await provider.complete(request)
    except TimeoutError:
        raise ModelTimeout(
            f"{provider.name} did not answer within {deadlines.total_s:.0f} s. Wait, or use another model."
        ) from None
