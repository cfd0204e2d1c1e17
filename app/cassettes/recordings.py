"""Recording what the models say in a run, and replaying it."""

import asyncio
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from app.cassettes.cassette import Cassette, read
from app.cassettes.playback import Playback
from app.cassettes.player import REPLAYED, Player
from app.cassettes.recorder import Recorder
from app.cassettes.tape import Tape
from app.gateway_settings import gateway_policy
from app.models import ChosenModel, Models, choose
from app.models_file import read_knowledge
from app.providers import as_it_is
from app.settings import Settings
from domain.catalogue import Catalogue
from domain.errors import InvalidRecording, UsageError
from domain.route import Candidate, parse_route
from domain.secrets import ProviderKey
from gateway.keys import KeyRing
from gateway.knowledge import Knowledge
from gateway.published import published_context
from gateway.upstream import Upstream


async def choose_or_replay(settings: Settings, wanted: str | None, replay: Path | None, tape: Tape | None) -> Models:
    """The models for a run, all of them on the tape where there is one; or what some said, where a recording is named.
    InvalidRecording; else as ``choose``."""
    if replay is None:
        return await choose(settings, wanted, as_it_is if tape is None else partial(Recorder, tape=tape))
    if wanted is not None:
        raise UsageError("--replay says again what the models said. Leave --model out.")
    cassette = await asyncio.to_thread(read, replay)
    if not cassette.exchanges:
        raise InvalidRecording(f"{replay} holds no exchange with a model. Make another one with --record.")
    return _replayed(settings, replay, cassette)


def _replayed(settings: Settings, path: Path, cassette: Cassette) -> Models:
    """The recorded route over players of the recorded providers, of which the same is known, and which cost nothing."""
    playback, providers = Playback(path, cassette), cassette.head.providers
    upstreams = tuple(_upstream(settings, Player(name, playback), keys, path) for name, keys in providers.items())
    route = parse_route(cassette.head.route, tuple(providers))
    players = [Candidate(provider=f"{REPLAYED}{one.provider}", model=one.model) for one in route.candidates]
    text = f"{route.policy}:{','.join(map(str, players))}"
    chosen = ChosenModel(provider=players[0].provider, model=players[0].model, route=text, why=f"a replay of {path}")
    return Models(upstreams, chosen, _knowledge(settings))


def _upstream(settings: Settings, player: Player, keys: int, path: Path) -> Upstream:
    """As many keys as there were: one that was refused was followed by the next."""
    ring = [ProviderKey(id=f"{number}", provider=player.name, secret=SecretStr("none")) for number in range(keys)]
    adapters = {key.id: player for key in ring}
    return Upstream(KeyRing(player.name, ring), adapters, gateway_policy(settings), str(path.resolve()))


def _knowledge(settings: Settings) -> Knowledge:
    entries = read_knowledge(settings).catalogue.all()
    renamed = [entry.model_copy(update={"provider": f"{REPLAYED}{entry.provider}"}) for entry in entries]
    return Knowledge(Catalogue(renamed, lambda name, model: published_context(name.removeprefix(REPLAYED), model)))
