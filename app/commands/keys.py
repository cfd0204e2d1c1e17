"""``soundstage keys``: the API keys that are set and kept. No command shows one."""

import asyncio
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr

from app.keys import environment_keys, new_key, stored_keys
from app.providers import address_of, provider_of
from app.settings import Settings
from app.store import open_store
from domain.base import Value
from domain.errors import (
    ModelAuthenticationFailed,
    ModelTimeout,
    NoCredit,
    SecretsUnavailable,
    SoundstageError,
    UnknownKey,
    UsageError,
)
from domain.redaction import Redactor
from domain.secrets import PROVIDER_NAME, SHORTEST_SECRET, KeySource, ProviderKey, StoredKey
from domain.text import one_line
from gateway.base import Endpoint

PROBE_S = 20.0
LONGEST_LABEL = 100
NOT_WELL = 3


class Checked(Value):
    """What a provider said to a key. ``id`` is empty where the keys that are kept cannot be decrypted."""

    provider: str
    id: str
    source: KeySource
    ok: bool
    found: str


async def add_key(settings: Settings, provider: str, secret: SecretStr, label: str, url: str | None) -> None:
    """Asks the provider about a key, then keeps it. The URL is where to ask; None leaves that out."""
    check_provider(provider)
    if len(label) > LONGEST_LABEL:
        raise UsageError(f"A label has {LONGEST_LABEL} characters at most. Give a shorter one with --label.")
    key = new_key(settings, provider, secret, label, KeySource.STORED)
    if len(secret.get_secret_value()) < SHORTEST_SECRET:
        raise UsageError(
            f"What is shorter than {SHORTEST_SECRET} characters is no secret, and could not be taken out of what "
            "Soundstage shows. Set it in the environment instead."
        )
    found = ""
    if url is not None:
        try:
            found = f" ({await _probe(key, url)})"
        except NoCredit:
            raise
        except ModelAuthenticationFailed:
            raise ModelAuthenticationFailed(
                f"{provider} refused the key, so it was not kept. Enter a valid one, or keep it with --no-check."
            ) from None
    async with open_store(settings) as store:
        kept = await store.keys.add(key)
    print(f"The key {kept.id} of {provider} is kept, encrypted{found}.")


def check_provider(name: str) -> None:
    """UsageError unless that can be a provider's name. It is not repeated: it may be a key in the wrong place."""
    if re.fullmatch(PROVIDER_NAME.strip("^$"), name) is None:
        raise UsageError(
            "That is no provider's name: it has up to 31 lower-case letters, digits and hyphens, such as openai. The "
            "key itself is asked for, or read from standard input."
        )


async def list_keys(settings: Settings, as_json: bool) -> None:
    """Prints what is known of every key, without decrypting any."""
    async with open_store(settings) as store:
        stored = await store.keys.known()
    found = (*map(_known, environment_keys(settings)), *stored)
    if as_json:
        for key in found:
            print(key.model_dump_json())
        return
    if not found:
        print("There is no key. Keep one with: soundstage keys add PROVIDER")
        return
    print(f"{'provider':<20} {'id':<13} {'key':<6} {'source':<12} {'age':>6}  label")
    for key in found:
        shown = f"…{key.last4}" if key.last4 else "-"
        age = _age(datetime.now(UTC) - key.added_at) if key.added_at else "-"
        print(f"{key.provider:<20} {key.id:<13} {shown:<6} {key.source:<12} {age:>6}  {one_line(key.label)}")


def _known(key: ProviderKey) -> StoredKey:
    return StoredKey(id=key.id, provider=key.provider, label=key.label, last4=key.last4, source=key.source)


def _age(since: timedelta) -> str:
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if since.total_seconds() >= seconds:
            return f"{since.total_seconds() // seconds:.0f} {unit}"
    return "new"


async def remove_key(settings: Settings, prefix: str) -> None:
    """Forgets a key that is kept."""
    async with open_store(settings) as store:
        try:
            removed = await store.keys.remove(prefix)
        except UnknownKey:
            if prefix and any(key.id.startswith(prefix) for key in environment_keys(settings)):
                raise UnknownKey(
                    "That key comes from the environment, where Soundstage changes nothing. Unset its variable."
                ) from None
            raise
    print(f"The key {removed.id} of {removed.provider} is removed. It is still valid at the provider: revoke it there.")


async def rotate_keys(settings: Settings) -> None:
    """Encrypts every key anew."""
    async with open_store(settings) as store:
        done = await store.keys.rotate()
    print(f"{done.changed} of {done.total} keys were encrypted anew; the master key is {done.master_key_id}.")
    if settings.soundstage_master_key is not None:
        print(
            "SOUNDSTAGE_MASTER_KEY says which master key that is. For a new one put it in front, with a comma "
            "(openssl rand -hex 32), and rotate; after that the older ones there can go."
        )


async def check_keys(settings: Settings, provider: str | None, url: str | None, as_json: bool) -> int:
    """Asks the providers about their keys, and prints what they say; the exit code is 3 when one is not well."""
    if provider is not None:
        check_provider(provider)
    elif url is not None:
        raise UsageError("--url is the address of one provider. Name the provider, too.")
    wanted = (provider,) if provider is not None else ()
    keys = list(environment_keys(settings, *wanted))
    results: list[Checked] = []
    async with open_store(settings) as store:
        for name in sorted({key.provider for key in await store.keys.known(provider)}):
            try:
                keys += await stored_keys(settings, store.keys, name)
            except SecretsUnavailable as error:
                results.append(Checked(provider=name, id="", source=KeySource.STORED, ok=False, found=str(error)))
    results += await asyncio.gather(*(_checked(settings, key, url) for key in keys))
    _show(results, as_json)
    return 0 if all(result.ok for result in results) else NOT_WELL


async def _checked(settings: Settings, key: ProviderKey, url: str | None) -> Checked:
    try:
        found, ok = await _probe(key, url or address_of(settings, key.provider)), True
    except SoundstageError as error:
        found, ok = Redactor(settings.known_secrets).text(str(error)), False
    return Checked(provider=key.provider, id=key.id, source=key.source, ok=ok, found=found)


async def _probe(key: ProviderKey, url: str) -> str:
    """Lists the provider's models, which costs nothing. The errors of ``domain.errors`` for models."""
    endpoint = Endpoint(name=key.provider, base_url=url, api_key=key.secret, read_s=PROBE_S)
    provider = provider_of(key.provider, endpoint)
    try:
        async with asyncio.timeout(PROBE_S):
            return f"it lists {len(await provider.models())} models"
    except TimeoutError:
        raise ModelTimeout from None
    finally:
        await provider.close()


def _show(results: Iterable[Checked], as_json: bool) -> None:
    for result in results:
        if as_json:
            print(result.model_dump_json())
        else:
            mark = "✓" if result.ok else "✗"
            print(
                f"{mark} {result.provider:<20} {result.id or '-':<13} {result.source:<12} {one_line(result.found, 500)}"
            )
    if not results and not as_json:
        print("There is no key to check. Keep one with: soundstage keys add PROVIDER")
