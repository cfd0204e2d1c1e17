"""One physical send: it is reserved for, sent, watched, and settled, however it ends."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from domain.chat import Delta, ModelReply, ModelRequest, Usage
from domain.errors import BudgetExceeded, ModelConnectionLost, ModelProtocolError, ModelTimeout, SoundstageError
from domain.ledger import Attempt, AttemptOutcome, Settlement
from domain.money import FREE, NanoUsd, format_usd
from domain.tokens import estimate_usage
from gateway.accounts import Accounts, attempt_of
from gateway.base import Call, Completion, Provider
from gateway.deadlines import Deadlines, within
from gateway.policy import GatewayPolicy
from gateway.pricing import Prices

UNKNOWN = (ModelTimeout, ModelConnectionLost, ModelProtocolError)
"""Failures after which the provider may have answered all the same, and charge for it."""


@dataclass
class Send:
    """A request on its way to one provider with one key.

    ``most`` are the tokens that it may take, ``used`` those that it took in the end: none before it was sent.
    """

    call: Call
    request: ModelRequest
    most: Usage
    provider: Provider
    key_id: str = ""
    _started: float = 0.0
    _first_s: float | None = None
    _said: list[str] = field(default_factory=list)
    _reply: ModelReply | None = None
    used: Usage = Usage()  # noqa: RUF009 - it is frozen

    async def run(
        self, accounts: Accounts, policy: GatewayPolicy, streamed: bool
    ) -> AsyncGenerator[Delta | Completion]:
        """The pieces of the answer, where it is streamed, and then the completion.

        BudgetExceeded before a send that could break a budget. Every send has a reservation before it and a ledger
        entry after it, also when it fails or is left in the middle.
        """
        attempt = self._attempt(accounts.prices, policy.deadlines)
        self._check_cost(attempt, policy.max_call_cost)
        alerts = await accounts.reserve(attempt)
        self._started = time.monotonic()
        failure: BaseException | None = None
        try:
            pieces = self.provider.stream(self.request) if streamed else self._in_one_piece()
            whole = not streamed or (self.request.json_schema is not None and not self.provider.streams_schemas)
            async with aclosing(within(policy.deadlines, pieces, whole)) as timely:
                async for piece in timely:
                    if streamed and self._first_s is None:
                        self._first_s = self._seconds()
                    if isinstance(piece, ModelReply):
                        self._reply = piece
                    else:
                        self._said.append(piece.text + piece.reasoning)
                        yield piece
            if self._reply is None:
                raise ModelProtocolError("The provider's answer ended before it was complete. Run it again.")
        except BaseException as error:
            failure = error
            raise
        finally:
            self.used = self._usage(failure)
            settlement = self._settlement(attempt, accounts.prices, failure)
            accounts.settle(settlement)
        yield Completion(
            reply=self._reply, provider=attempt.provider, model=attempt.model, cost=settlement.cost,
            priced=attempt.priced, latency_s=settlement.latency_s, first_token_s=self._first_s, alerts=alerts,
        )  # fmt: skip

    async def _in_one_piece(self) -> AsyncGenerator[Delta | ModelReply]:
        yield await self.provider.complete(self.request)

    def _check_cost(self, attempt: Attempt, usual: NanoUsd | None) -> None:
        most = usual if self.call.max_cost is None else self.call.max_cost
        if most is not None and attempt.reserved > most:
            raise BudgetExceeded(
                f"The call of {attempt.provider}/{attempt.model} may cost {format_usd(attempt.reserved)}, "
                f"and one call may cost {format_usd(most)}, so it was not made.",
                scope="call",
            )

    def _attempt(self, prices: Prices, deadlines: Deadlines) -> Attempt:
        request, provider, most = self.request, self.provider, self.most
        cost = prices.cost(provider.name, request.model, most, provider.local)
        return attempt_of(
            self.call, provider=provider.name, model=request.model, key_id=self.key_id, reserved=cost or FREE,
            reserved_tokens=most.total_tokens, priced=cost is not None, expires_s=deadlines.total_s + 60,
        )  # fmt: skip

    def _settlement(self, attempt: Attempt, prices: Prices, failure: BaseException | None) -> Settlement:
        failed = AttemptOutcome.FAILED if isinstance(failure, SoundstageError) else AttemptOutcome.CANCELLED
        outcome = AttemptOutcome.OK if failure is None else failed
        cost = prices.cost(attempt.provider, attempt.model, self.used, self.provider.local) or FREE
        error = "" if failure is None else type(failure).__name__
        return Settlement(
            attempt_id=attempt.id, outcome=outcome, usage=self.used, cost=cost, latency_s=self._seconds(),
            first_token_s=self._first_s, error=error,
        )  # fmt: skip

    def _usage(self, failure: BaseException | None) -> Usage:
        """What the provider said it used; by what it sent, or the most, where it may have answered; nothing where it
        refused."""
        if self._reply is not None:
            return self._reply.usage
        if isinstance(failure, ModelProtocolError) and failure.usage is not None:
            return failure.usage
        unknown = not isinstance(failure, SoundstageError) or isinstance(failure, UNKNOWN)
        if self._first_s is None and not unknown:
            return Usage()
        said = "".join(self._said)
        return estimate_usage(self.request, said) if said else self.most

    def _seconds(self) -> float:
        return time.monotonic() - self._started
