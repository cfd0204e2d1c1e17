"""Providers by name: where they are, which adapter speaks with them, and which of them are set up."""

import ipaddress
import urllib.parse
from collections.abc import Callable, Mapping

from pydantic import SecretStr

from app.gateway_settings import gateway_policy
from app.keys import rings_at_home
from app.models_file import read_knowledge
from app.names import COMPATIBLE, OPENAI, openai_name
from app.ollama import OLLAMA, FittingOllama, answers, ollama_url
from app.settings import Settings
from domain.errors import UsageError
from domain.secrets import ProviderKey
from gateway.adapters import groq_adapter, mistral_adapter, openai_adapter
from gateway.adapters.groq_adapter import GroqProvider
from gateway.adapters.mistral_adapter import MistralProvider
from gateway.adapters.openai_adapter import OpenAIProvider
from gateway.base import Endpoint, Provider
from gateway.keys import KeyRing
from gateway.upstream import Upstream

Around = Callable[[Provider], Provider]
NO_KEY = ProviderKey(id="", provider="none", secret=SecretStr("none"))
ADAPTERS: Mapping[str, Callable[[Endpoint], Provider]] = {
    OPENAI: OpenAIProvider,
    "groq": GroqProvider,
    "mistral": MistralProvider,
}
URLS = {
    OPENAI: openai_adapter.OFFICIAL_URL,
    "groq": groq_adapter.OFFICIAL_URL,
    "mistral": mistral_adapter.OFFICIAL_URL,
}


def provider_of(name: str, endpoint: Endpoint) -> Provider:
    """The adapter of a provider. One that is not known is taken to speak OpenAI's protocol, as most do."""
    return ADAPTERS.get(name, OpenAIProvider)(endpoint)


def address_of(settings: Settings, name: str) -> str:
    """The URL of a provider. UsageError where it is not known."""
    if name == COMPATIBLE and settings.openai_base_url is not None:
        return settings.openai_base_url
    set_urls = {"groq": settings.groq_base_url, "mistral": settings.mistral_base_url}
    found = set_urls.get(name) or URLS.get(name)
    if found is None:
        # What was given for a name may be a key, so it is not repeated.
        raise UsageError(
            f"The address of that provider is not known. Known are {', '.join(URLS)}, and {COMPATIBLE} with "
            "OPENAI_BASE_URL. Give it with --url."
        )
    return found


def as_it_is(provider: Provider) -> Provider:
    """Puts nothing around an adapter."""
    return provider


async def set_up(settings: Settings, around: Around = as_it_is) -> dict[str, Upstream]:
    """Every provider that has a key, or needs none and answers, in the order in which they are preferred; the local
    ones alone where only those are wanted. ``around`` is put around each adapter. InvalidKey, SecretsUnavailable,
    UsageError."""
    rings = await rings_at_home(settings)
    found = {}
    for name in dict.fromkeys((openai_name(settings), OPENAI, "groq", "mistral")):
        needs_none = name == COMPATIBLE and settings.openai_base_url is not None
        if name in rings or needs_none:
            url = address_of(settings, name)
            if may_be_asked(settings, url):
                ring = rings.get(name) or KeyRing(name, [NO_KEY])
                found[name] = _upstream(settings, ring, _adapters(name, url, ring), url, around)
    if may_be_asked(settings, ollama_url(settings)) and await answers(ollama_url(settings)):
        ring, adapters = KeyRing(OLLAMA, [NO_KEY]), {NO_KEY.id: _ollama(settings)}
        found[OLLAMA] = _upstream(settings, ring, adapters, ollama_url(settings), around)
    return found


def _upstream(
    settings: Settings, ring: KeyRing, adapters: Mapping[str, Provider], url: str, around: Around
) -> Upstream:
    wrapped = {key: around(adapter) for key, adapter in adapters.items()}
    return Upstream(ring, wrapped, gateway_policy(settings), url)


def _adapters(name: str, url: str, ring: KeyRing) -> dict[str, Provider]:
    """An adapter for each key. A server of one's own that runs on this machine costs nothing."""
    local = name == COMPATIBLE and is_loopback(url)
    endpoint = Endpoint(name=name, base_url=url, local=local)
    return {key.id: provider_of(name, endpoint.model_copy(update={"api_key": key.secret})) for key in ring.keys}


def _ollama(settings: Settings) -> Provider:
    endpoint = Endpoint(name=OLLAMA, base_url=ollama_url(settings), local=True)
    return FittingOllama(endpoint, settings.soundstage_ollama_context, read_knowledge(settings).catalogue)


def may_be_asked(settings: Settings, url: str) -> bool:
    """Whether a server is on this machine, where only those are wanted."""
    return is_loopback(url) or not settings.soundstage_local_only


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine itself."""
    host = urllib.parse.urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
