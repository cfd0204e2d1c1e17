"""Which candidates of a call's route are able to answer it, and who is asked first."""

from collections.abc import Mapping, Sequence

from domain.catalogue import Capability, ModelInfo
from domain.chat import ModelRequest, UserMessage
from domain.errors import ContextTooLong, ModelRequestRejected
from domain.route import Candidate, Choice, Policy, parse_route
from domain.tokens import estimate_input_tokens, estimate_most
from gateway.base import Call
from gateway.knowledge import Knowledge
from gateway.upstream import Upstream

UNKNOWN_PRICE = float("inf")


class Router:
    """Puts the candidates of calls in order, by what is known and was measured of them."""

    def __init__(self, upstreams: Mapping[str, Upstream], knowledge: Knowledge) -> None:
        self._upstreams = upstreams
        self._names = tuple(upstreams)
        self._known = knowledge

    def choice(self, call: Call) -> Choice:
        """Who may be asked, and why others may not. UsageError for a route that is none.

        A single candidate is asked in any case: it knows best.
        """
        route = parse_route(call.request.model, self._names)
        if len(route.candidates) == 1:
            return Choice(route.candidates, {})
        unable = self._unable(call.request, route.candidates)
        able = [one for one in route.candidates if one not in unable]
        match route.policy:
            case Policy.ORDERED:
                pass
            case Policy.CHEAPEST:
                able.sort(key=lambda one: self._price(one, call.request))
            case Policy.FASTEST:
                able.sort(key=self._seconds)
            case Policy.DIFFICULTY:
                able.sort(key=lambda one: self._effort(one, call))
        return Choice(tuple(able), unable)

    def may(self, capability: Capability, route: str) -> bool:
        """Whether some candidate of a route has a capability, or nothing is known of it."""
        found = map(self._info, parse_route(route, self._names).candidates)
        return any(not info.known or capability in info.capabilities for info in found)

    def _unable(self, request: ModelRequest, candidates: Sequence[Candidate]) -> dict[Candidate, ModelRequestRejected]:
        needs, size = _needs(request), estimate_input_tokens(request)
        found = {one: _lacks(self._info(one), needs, size) for one in candidates}
        return {one: lacks for one, lacks in found.items() if lacks is not None}

    def _info(self, candidate: Candidate) -> ModelInfo:
        return self._known.catalogue.find(candidate.provider, candidate.model)

    def _price(self, candidate: Candidate, request: ModelRequest) -> float:
        local, most = self._upstreams[candidate.provider].local, estimate_most(request)
        cost = self._known.prices.cost(candidate.provider, candidate.model, most, local)
        return UNKNOWN_PRICE if cost is None else cost

    def _seconds(self, candidate: Candidate) -> float:
        """Who was never measured is measured first."""
        return self._upstreams[candidate.provider].latency_s(candidate.model) or 0.0

    def _effort(self, candidate: Candidate, call: Call) -> tuple[float, float]:
        """Those that are strong enough, by price; then the others, the strongest first."""
        strength = self._info(candidate).strength
        if strength >= call.difficulty:
            return 0.0, self._price(candidate, call.request)
        return float(call.difficulty - strength), 0.0


def _needs(request: ModelRequest) -> frozenset[Capability]:
    images = any(isinstance(message, UserMessage) and message.images for message in request.messages)
    schema = request.json_schema is not None
    asked = {Capability.TOOLS: request.tools, Capability.JSON_SCHEMA: schema, Capability.IMAGES: images}
    return frozenset(capability for capability, wanted in asked.items() if wanted)


def _lacks(info: ModelInfo, needs: frozenset[Capability], tokens: int) -> ModelRequestRejected | None:
    """What a model would reject, without asking it; nothing is held against one of which nothing is known."""
    if not info.known:
        return None
    if missing := needs - info.capabilities:
        return ModelRequestRejected(f"{info.provider}/{info.id} lacks {', '.join(sorted(missing))}.")
    if tokens > info.context_tokens:
        return ContextTooLong(f"{info.provider}/{info.id} takes {info.context_tokens:,} tokens and not {tokens:,}.")
    return None
