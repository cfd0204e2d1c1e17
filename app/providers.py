"""Providers by name: where they are, and which adapter speaks with them."""

from collections.abc import Callable, Mapping

from app.settings import Settings
from domain.errors import UsageError
from gateway.adapters.openai_adapter import OFFICIAL_URL, OpenAIProvider
from gateway.base import Endpoint, Provider

OPENAI = "openai"
COMPATIBLE = "openai-compatible"
"""The server of OPENAI_BASE_URL, where that is not OpenAI's own: a key that is kept for OpenAI never goes there."""

ADAPTERS: Mapping[str, Callable[[Endpoint], Provider]] = {OPENAI: OpenAIProvider}
URLS = {OPENAI: OFFICIAL_URL, "groq": "https://api.groq.com/openai/v1", "mistral": "https://api.mistral.ai/v1"}


def provider_of(name: str, endpoint: Endpoint) -> Provider:
    """The adapter of a provider. One that is not known is taken to speak OpenAI's protocol, as most do."""
    return ADAPTERS.get(name, OpenAIProvider)(endpoint)


def openai_name(settings: Settings) -> str:
    """What the server is called that OPENAI_API_KEY is for."""
    url = settings.openai_base_url
    return OPENAI if url is None or url.rstrip("/") == OFFICIAL_URL else COMPATIBLE


def address_of(settings: Settings, name: str) -> str:
    """The URL of a provider. UsageError where it is not known."""
    if name == COMPATIBLE and settings.openai_base_url is not None:
        return settings.openai_base_url
    if name not in URLS:
        # What was given for a name may be a key, so it is not repeated.
        raise UsageError(
            f"The address of that provider is not known. Known are {', '.join(URLS)}, and {COMPATIBLE} with "
            "OPENAI_BASE_URL. Give it with --url."
        )
    return URLS[name]
