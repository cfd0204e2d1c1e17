"""Which models work: those that were named, or the best that are at hand."""

import sys
from dataclasses import dataclass

from pydantic import SecretStr

from app.demo_script import demo_model
from app.models_file import read_knowledge
from app.names import OPENAI
from app.ollama import OLLAMA, ollama_url
from app.providers import Around, address_of, as_it_is, may_be_asked, set_up
from app.settings import Settings
from domain.base import Value
from domain.errors import ModelUnavailable, SoundstageError, UnknownModel, UsageError
from domain.route import Candidate, Route, parse_route
from domain.secrets import ProviderKey
from domain.text import plain, public_url
from gateway.base import Provider
from gateway.keys import KeyRing
from gateway.knowledge import Knowledge
from gateway.policy import GatewayPolicy
from gateway.upstream import Upstream

SCRIPTED = "scripted"
DEMO_PLACE = "the demo"
DEFAULT_OPENAI_MODEL = "gpt-5-mini"
NAMED_BY_THEIR_OWN = frozenset({"openai", "groq", "mistral", OLLAMA})


class ChosenModel(Value):
    """The model that is asked first, and the route with those that stand in for it. ``why`` says for people how it
    came to be chosen."""

    provider: str
    model: str
    route: str
    why: str


@dataclass(frozen=True)
class Models:
    """The providers of a run, and which of their models are asked. ``knowledge`` is of them where that of the settings
    is not."""

    upstreams: tuple[Upstream, ...]
    chosen: ChosenModel
    knowledge: Knowledge | None = None

    @property
    def first(self) -> Provider:
        """The provider that is asked first, with its first key."""
        return next(one for one in self.upstreams if one.name == self.chosen.provider).first

    async def close(self) -> None:
        """Lets go of every connection."""
        for upstream in self.upstreams:
            await upstream.close()


def only(provider: Provider, model: str, why: str, place: str = "") -> Models:
    """One model of one provider, whose adapter holds the key. ``place`` tells it apart from others of that name."""
    key = ProviderKey(id="", provider=provider.name, secret=SecretStr("none"))
    upstream = Upstream(KeyRing(provider.name, [key]), {"": provider}, GatewayPolicy(), place)
    return Models((upstream,), ChosenModel(provider=provider.name, model=model, route=model, why=why))


async def choose(settings: Settings, wanted: str | None, around: Around = as_it_is) -> Models:
    """The models for a run: those that are named; else each provider that is set up with its usual model, in turn;
    else the script. ``around`` is put around each adapter. ModelUnavailable, UnknownModel, UsageError."""
    wanted = wanted or settings.soundstage_model
    if wanted == SCRIPTED:
        return only(around(demo_model()), SCRIPTED, "it was asked for", DEMO_PLACE)
    found = await set_up(settings, around)
    try:
        if wanted is not None:
            return await _named(settings, found, wanted)
        if not found:
            why = "neither OPENAI_API_KEY nor OPENAI_BASE_URL is set, and no Ollama answers"
            return only(around(demo_model()), SCRIPTED, why, DEMO_PLACE)
        return await _usual(settings, found)
    except BaseException:
        for upstream in found.values():
            await upstream.close()
        raise


async def _named(settings: Settings, found: dict[str, Upstream], wanted: str) -> Models:
    if wanted.startswith(f"{OLLAMA}/") and OLLAMA not in found:
        url = ollama_url(settings)
        if not may_be_asked(settings, url):
            raise UsageError(f"The Ollama at {url} is not on this machine. Unset SOUNDSTAGE_LOCAL_ONLY to ask it.")
        raise ModelUnavailable(f"No Ollama answers at {url}. Start it (ollama serve) or set OLLAMA_HOST.")
    if not found:
        raise UnknownModel(
            f"The model {wanted!r} needs a provider, and none is set. Set OPENAI_API_KEY (and OPENAI_BASE_URL for "
            "another server) or keep a key (soundstage keys add openai), or start Ollama, or use --model scripted for "
            "the demo."
        )
    route = parse_route(wanted, tuple(found))
    for candidate in route.candidates:
        _check_named(candidate, found)
    return _models(settings, found, route, wanted)


def _check_named(candidate: Candidate, found: dict[str, Upstream]) -> None:
    """A name may begin with that of a provider which is not set up; only servers of others have such ids, too."""
    provider, slash, _ = candidate.model.partition("/")
    if slash and provider in NAMED_BY_THEIR_OWN - set(found) and candidate.provider == next(iter(found)) == OPENAI:
        raise UsageError(
            f"{provider} is not set up, so {candidate.model} cannot be asked. Keep a key (soundstage keys add "
            f"{provider}), start it, or name another model."
        )


async def _usual(settings: Settings, found: dict[str, Upstream]) -> Models:
    """Every provider with its usual model; one that has none, or does not answer, is named and left out."""
    candidates: list[Candidate] = []
    failures: dict[str, SoundstageError] = {}
    for name, upstream in found.items():
        try:
            candidates.append(Candidate(provider=name, model=await _usual_model(settings, upstream)))
        except (ModelUnavailable, UnknownModel) as error:
            failures[name] = error
    if not candidates:
        raise _no_model(failures)
    for name, failure in failures.items():
        tell_unlisted(name, failure)
    return _models(settings, found, Route(candidates=tuple(candidates)), ",".join(map(str, candidates)))


def _no_model(failures: dict[str, SoundstageError]) -> SoundstageError:
    if len(failures) == 1:
        return next(iter(failures.values()))
    told = "; ".join(f"{name}: {failure}" for name, failure in failures.items())
    return ModelUnavailable(f"None of {len(failures)} providers has a model to offer. {told}")


def tell_unlisted(name: str, error: SoundstageError) -> None:
    """Tells a person of a provider that goes without saying which models it has."""
    print(f"{name} does not list its models: {plain(str(error))}", file=sys.stderr)


async def _usual_model(settings: Settings, upstream: Upstream) -> str:
    name = upstream.name
    if name.startswith(OPENAI) and settings.openai_model is not None:
        return settings.openai_model
    if name == OPENAI:
        return DEFAULT_OPENAI_MODEL
    default = read_knowledge(settings).catalogue.default(name)
    if default is not None:
        return default.id
    listed = await upstream.first.models()
    if not listed:
        url = public_url(upstream.place)
        raise UnknownModel(f"The server at {url} lists no model. Load one there, or name one with --model.")
    return listed[0]


def _models(settings: Settings, found: dict[str, Upstream], route: Route, text: str) -> Models:
    first = route.candidates[0]
    url = public_url(ollama_url(settings) if first.provider == OLLAMA else address_of(settings, first.provider))
    why = f"Ollama answers at {url}" if first.provider == OLLAMA else f"at {url}"
    if others := route.candidates[1:]:
        why += f"; then {', '.join(map(str, others))}"
    # A single model of a single provider is named as that provider names it.
    named = len(route.candidates) == 1 and first.provider == next(iter(found))
    chosen = ChosenModel(provider=first.provider, model=first.model, route=first.model if named else text, why=why)
    return Models(tuple(found.values()), chosen)
