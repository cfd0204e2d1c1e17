"""Which model works: the one that was named, or the best that is at hand."""

import asyncio
import urllib.parse

from pydantic import SecretStr

from app.demo_script import demo_model
from app.keys import rings_at_home
from app.providers import OPENAI, address_of, openai_name
from app.settings import Settings
from domain.base import Value
from domain.errors import ModelUnavailable, UnknownModel, UsageError
from domain.text import public_url
from gateway.adapters.openai_adapter import OpenAIProvider
from gateway.base import Endpoint, Provider

SCRIPTED = "scripted"
OLLAMA_PREFIX = "ollama/"
OLLAMA_PORT = 11434
DEFAULT_OPENAI_MODEL = "gpt-5-mini"
PROBE_S = 0.5


class ChosenModel(Value):
    """A provider and the id of one of its models. ``why`` says for people how it came to be chosen."""

    provider: str
    model: str
    why: str


async def choose(settings: Settings, wanted: str | None) -> tuple[Provider, ChosenModel]:
    """The model for a run: named, else by key, else a local Ollama, else the script. ModelUnavailable, UnknownModel."""
    wanted = wanted or settings.soundstage_model
    if wanted == SCRIPTED:
        return _scripted("it was asked for")
    if wanted is not None and wanted.startswith(OLLAMA_PREFIX):
        return await _ollama(settings, wanted.removeprefix(OLLAMA_PREFIX))
    name = openai_name(settings)
    ring = (await rings_at_home(settings, name)).get(name)
    if ring is not None or settings.openai_base_url is not None:
        return await _openai(settings, wanted, ring.next().key.secret if ring is not None else SecretStr("none"))
    if await _answers(_ollama_url(settings)):
        return await _ollama(settings, wanted)
    if wanted is not None:
        raise UnknownModel(
            f"The model {wanted!r} needs a provider, and none is set. Set OPENAI_API_KEY (and OPENAI_BASE_URL for "
            "another server) or keep a key (soundstage keys add openai), or start Ollama, or use --model scripted for "
            "the demo."
        )
    return _scripted("neither OPENAI_API_KEY nor OPENAI_BASE_URL is set, and no Ollama answers")


def _scripted(why: str) -> tuple[Provider, ChosenModel]:
    return demo_model(), ChosenModel(provider=SCRIPTED, model=SCRIPTED, why=why)


async def _openai(settings: Settings, wanted: str | None, key: SecretStr) -> tuple[Provider, ChosenModel]:
    name = openai_name(settings)
    official = name == OPENAI
    url = address_of(settings, name)
    model = OpenAIProvider(Endpoint(name=name, base_url=url, api_key=key))
    wanted = wanted or settings.openai_model or (DEFAULT_OPENAI_MODEL if official else None)
    name = wanted or await _first(model, url)
    return model, ChosenModel(provider=model.name, model=name, why=f"it answers at {public_url(url)}")


async def _ollama(settings: Settings, wanted: str | None) -> tuple[Provider, ChosenModel]:
    url = _ollama_url(settings)
    model = OpenAIProvider(Endpoint(name="ollama", base_url=f"{url}/v1"))
    if not await _answers(url):
        await model.close()
        raise ModelUnavailable(f"No Ollama answers at {url}. Start it (ollama serve) or set OLLAMA_HOST.")
    return model, ChosenModel(
        provider="ollama", model=wanted or await _first(model, url), why=f"Ollama answers at {url}"
    )


async def _first(model: OpenAIProvider, url: str) -> str:
    try:
        found = await model.models()
    except BaseException:
        await model.close()
        raise
    if not found:
        await model.close()
        raise UnknownModel(f"The server at {public_url(url)} lists no model. Load one there, or name one with --model.")
    return found[0]


def _ollama_url(settings: Settings) -> str:
    host = settings.ollama_host or "127.0.0.1"
    host = host if "://" in host else f"http://{host}"
    try:
        parts = urllib.parse.urlsplit(host)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"OLLAMA_HOST is no address: {error}. Set it to something like 127.0.0.1:11434.") from error
    name = "127.0.0.1" if parts.hostname in {None, "0.0.0.0"} else parts.hostname  # noqa: S104 - read, not bound
    port = port or (OLLAMA_PORT if parts.scheme == "http" else 443)
    return f"{parts.scheme}://{name}:{port}"


async def _answers(url: str) -> bool:
    parts = urllib.parse.urlsplit(url)
    try:
        async with asyncio.timeout(PROBE_S):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
