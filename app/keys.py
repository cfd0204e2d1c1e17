"""The API keys at hand: those of the environment first, then those that are kept."""

from collections import defaultdict
from collections.abc import Iterable

from pydantic import SecretStr

from app.names import openai_name
from app.settings import Settings, split_secret
from app.store import open_store
from domain.errors import InvalidKey
from domain.secrets import KeySource, KeyStore, ProviderKey, key_id
from gateway.keys import KeyRing
from storage.key_file import KeyFile


def new_key(settings: Settings, provider: str, secret: SecretStr, label: str, source: KeySource) -> ProviderKey:
    """A key with its id. InvalidKey, StorageUnavailable.

    The id depends on a random file of the home, so that nobody finds out a key by trying which one has that id.
    """
    settings.known_secrets.append(secret)
    (pepper, *_) = KeyFile(settings.home / "fingerprint.key").create()
    identity = key_id(pepper, provider, secret)
    return ProviderKey(id=identity, provider=provider, secret=secret, label=label, source=source)


def environment_keys(settings: Settings, *providers: str) -> tuple[ProviderKey, ...]:
    """The keys of the environment, for all providers when none is named. InvalidKey names the variable.

    Each variable may hold several; it is the label of its keys.
    """
    held = (
        ("OPENAI_API_KEY", openai_name(settings), settings.openai_api_key),
        ("GROQ_API_KEY", "groq", settings.groq_api_key),
        ("MISTRAL_API_KEY", "mistral", settings.mistral_api_key),
    )
    found = []
    for variable, provider, secrets in held:
        for secret in split_secret(secrets) if not providers or provider in providers else ():
            try:
                found.append(new_key(settings, provider, secret, variable, KeySource.ENVIRONMENT))
            except InvalidKey:
                raise InvalidKey(
                    f"{variable} holds characters that no key holds. Set it to one key, or to several with commas "
                    "between them."
                ) from None
    return tuple(found)


async def stored_keys(settings: Settings, store: KeyStore, *providers: str) -> tuple[ProviderKey, ...]:
    """The keys that are kept, decrypted, for all providers when none is named. SecretsUnavailable."""
    found = [key for provider in providers or (None,) for key in await store.opened(provider)]
    settings.known_secrets.extend(key.secret for key in found)
    return tuple(found)


async def key_rings(settings: Settings, store: KeyStore, *providers: str) -> dict[str, KeyRing]:
    """A ring for each provider that has a key, or for those of them that are named: first the environment's keys.

    InvalidKey, SecretsUnavailable, StorageUnavailable.
    """
    return _rings((*environment_keys(settings, *providers), *await stored_keys(settings, store, *providers)))


async def rings_at_home(settings: Settings, *providers: str) -> dict[str, KeyRing]:
    """The same for who has no store open. Where nothing was ever kept, no store is made."""
    if not (settings.home / "soundstage.db").exists():
        return _rings(environment_keys(settings, *providers))
    async with open_store(settings) as store:
        return await key_rings(settings, store.keys, *providers)


def _rings(keys: Iterable[ProviderKey]) -> dict[str, KeyRing]:
    found: dict[str, list[ProviderKey]] = defaultdict(list)
    for key in keys:
        found[key.provider].append(key)
    return {provider: KeyRing(provider, mine) for provider, mine in found.items()}
