"""Recording what the model says in a run, and replaying it."""

import asyncio
from pathlib import Path

from app.cassettes.cassette import read
from app.cassettes.player import Player
from app.cassettes.recorder import Recorder
from app.models import ChosenModel, choose
from app.settings import Settings
from domain.errors import InvalidRecording, UsageError
from domain.redaction import Redactor
from gateway.base import Provider


async def choose_or_replay(settings: Settings, wanted: str | None, replay: Path | None) -> tuple[Provider, ChosenModel]:
    """The model for a run, or what one said where a recording is named. InvalidRecording, UsageError, as ``choose``."""
    if replay is None:
        return await choose(settings, wanted)
    if wanted is not None:
        raise UsageError("--replay says again what one model said. Leave --model out.")
    cassette = await asyncio.to_thread(read, replay)
    if not cassette.exchanges:
        raise InvalidRecording(f"{replay} holds no exchange with a model. Make another one with --record.")
    player = Player(replay, cassette)
    chosen = ChosenModel(provider=player.name, model=cassette.exchanges[0].request.model, why=f"a replay of {replay}")
    return player, chosen


async def recorded(model: Provider, record: Path | None, settings: Settings) -> Provider:
    """The model, and what it says is recorded where a file is named. OutputRefused where that cannot be made."""
    if record is None:
        return model
    redactor = Redactor(key for key in (settings.openai_api_key,) if key is not None)
    recorder = Recorder(model, record, redactor.text)
    await recorder.start()
    return recorder
