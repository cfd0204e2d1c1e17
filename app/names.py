"""What the servers are called that OPENAI_API_KEY may be for."""

from app.settings import Settings
from gateway.adapters.openai_adapter import OFFICIAL_URL

OPENAI = "openai"
COMPATIBLE = "openai-compatible"
"""The server of OPENAI_BASE_URL, where that is not OpenAI's own: a key that is kept for OpenAI never goes there."""


def openai_name(settings: Settings) -> str:
    """What the server is called that OPENAI_API_KEY is for."""
    url = settings.openai_base_url
    return OPENAI if url is None or url.rstrip("/") == OFFICIAL_URL else COMPATIBLE
