"""The gateway: the one door to models. It routes, reserves, sends, settles, and tries the next one."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from domain.catalogue import Capability
from domain.chat import Delta, ModelRequest
from domain.errors import SoundstageError
from domain.ledger import Ledger
from domain.redaction import Redactor
from domain.reply_cache import ReplyCache
from domain.route import Candidate
from domain.tokens import estimate_most
from gateway.accounts import Accounts
from gateway.base import Call, Completion, Restarted
from gateway.cache import CachedCalls
from gateway.hedge import hedged
from gateway.knowledge import Knowledge
from gateway.policy import GatewayPolicy
from gateway.router import Router
from gateway.sanitiser import sanitised
from gateway.sending import Send
from gateway.tries import Tries
from gateway.upstream import Upstream

Pieces = AsyncGenerator[Delta | Restarted | Completion]


class Gateway:
    """Calls models on somebody's account."""

    def __init__(
        self,
        upstreams: Sequence[Upstream],
        ledger: Ledger,
        policy: GatewayPolicy | None = None,
        knowledge: Knowledge | None = None,
        known: ReplyCache | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        """``known`` keeps replies for cacheable calls; ``redactor`` takes secrets out of what is sent."""
        knowledge = knowledge or Knowledge()
        self._upstreams = {upstream.name: upstream for upstream in upstreams}
        self._router = Router(self._upstreams, knowledge)
        self._accounts = Accounts(ledger, knowledge.prices)
        self._policy = policy or GatewayPolicy()
        self._cached = CachedCalls(known) if known is not None else None
        self._redactor = redactor

    async def complete(self, call: Call) -> Completion:
        """The whole reply, asked for in one piece. BudgetExceeded before a send that could break a budget; else what
        went wrong with the models.

        Every send has a reservation before it and a ledger entry after it, also when it fails or is cancelled.
        """
        return await self._whole(call, streamed=False)

    def stream(self, call: Call) -> Pieces:
        """The reply in pieces, and the completion last; errors as above. Restarted where another model takes over."""
        return self._pieces(call, streamed=True)

    async def collect(self, call: Call) -> Completion:
        """The whole reply, asked for in pieces: a provider that falls silent is left sooner."""
        return await self._whole(call, streamed=True)

    def calls_tools(self, route: str) -> bool:
        """Whether some model of a route may be able to call tools. UsageError for a route that is none."""
        return self._router.may(Capability.TOOLS, route)

    @property
    def upstreams(self) -> tuple[Upstream, ...]:
        """The providers, in order."""
        return tuple(self._upstreams.values())

    async def settled(self) -> None:
        """Waits until all that was sent is in the ledger."""
        await self._accounts.settled()

    async def _whole(self, call: Call, streamed: bool) -> Completion:
        async def made() -> Completion:
            return await _last(self._pieces(call, streamed))

        if self._cached is None or not call.cacheable:
            return await made()
        choice = self._router.choice(call)
        candidates = (*choice.able, *choice.unable)
        places = " ".join(f"{one} {self._upstreams[one.provider].place}" for one in candidates)
        completion = await self._cached.complete(call, places, made)
        if completion.cache_hit:
            await self._accounts.enter_hit(call, completion)
        return completion

    async def _pieces(self, call: Call, streamed: bool) -> Pieces:
        tries = Tries(self._router.choice(call), self._policy.retry)
        begun, because = False, ""
        while True:
            candidate = await tries.next()
            if begun:
                begun = False
                yield Restarted(because=because)
            try:
                async with aclosing(self._asked(candidate, tries, call, streamed)) as pieces:
                    async for piece in pieces:
                        begun = True
                        yield tries.counted(piece) if isinstance(piece, Completion) else piece
                return
            except SoundstageError as error:
                because = str(error)

    def _asked(
        self, candidate: Candidate, tries: Tries, call: Call, streamed: bool
    ) -> AsyncGenerator[Delta | Completion]:
        first = self._tried(candidate, tries, call, streamed)
        if self._policy.hedge_after_s is None:
            return first

        def second() -> AsyncGenerator[Delta | Completion] | None:
            spare = tries.spare()
            return self._tried(spare, tries, call, streamed) if spare is not None else None

        return hedged(first, second, self._policy.hedge_after_s)

    async def _tried(
        self, candidate: Candidate, tries: Tries, call: Call, streamed: bool
    ) -> AsyncGenerator[Delta | Completion]:
        try:
            async with aclosing(self._sent(candidate, call, streamed)) as pieces:
                async for piece in pieces:
                    yield piece
        except SoundstageError as error:
            tries.failed(candidate, error, self._upstreams[candidate.provider].other_keys(error, candidate.model))
            raise

    async def _sent(self, candidate: Candidate, call: Call, streamed: bool) -> AsyncGenerator[Delta | Completion]:
        upstream = self._upstreams[candidate.provider]
        request = self._request(candidate, call)
        most = estimate_most(request)
        async with upstream.turn(candidate.model, call.task_id, most.total_tokens, self._policy.patience_s) as turn:
            send = Send(call, request, most, turn.provider, turn.key_id)
            try:
                async with aclosing(send.run(self._accounts, self._policy, streamed)) as pieces:
                    async for piece in pieces:
                        if isinstance(piece, Delta):
                            yield piece
                        else:
                            turn.completion = piece
            finally:
                turn.used = send.used.total_tokens
        # Whoever has it asks no more: only now is the turn at its end, and noted.
        if turn.completion is not None:
            yield turn.completion

    def _request(self, candidate: Candidate, call: Call) -> ModelRequest:
        request = call.request
        if request.model != candidate.model:
            request = request.model_copy(update={"model": candidate.model})
        request = sanitised(request, candidate.provider)
        return request if self._redactor is None else self._redactor.request(request)


async def _last(pieces: Pieces) -> Completion:
    async with aclosing(pieces):
        async for piece in pieces:
            if isinstance(piece, Completion):
                return piece
    raise AssertionError("an answer ends with its completion")
