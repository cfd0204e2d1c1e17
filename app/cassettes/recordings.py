"""Recording what the model says in a run, and replaying it."""

import asyncio
from pathlib import Path

from app.cassettes.cassette import read
from app.cassettes.player import Player
from app.cassettes.recorder import Recorder
from app.models import Models, choose, only
from app.settings import Settings
from domain.errors import InvalidRecording, UsageError
from domain.redaction import Redactor


async def choose_or_replay(settings: Settings, wanted: str | None, replay: Path | None) -> Models:
    """The models for a run, or what one said where a recording is named. InvalidRecording; else as ``choose``."""
    if replay is None:
        return await choose(settings, wanted)
    if wanted is not None:
        raise UsageError("--replay says again what one model said. Leave --model out.")
    cassette = await asyncio.to_thread(read, replay)
    if not cassette.exchanges:
        raise InvalidRecording(f"{replay} holds no exchange with a model. Make another one with --record.")
    return only(Player(replay, cassette), cassette.exchanges[0].request.model, f"a replay of {replay}")


async def recorded(models: Models, record: Path | None, settings: Settings) -> Models:
    """The models; where a file is named the first of them alone, and what it says is recorded. OutputRefused where
    that cannot be made."""
    if record is None:
        return models
    recorder = Recorder(models.first, record, Redactor(settings.known_secrets).text)
    await recorder.start()
    chosen = models.chosen
    return only(recorder, chosen.model, chosen.why)
