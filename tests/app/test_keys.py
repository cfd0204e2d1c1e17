"""Tests of app/keys.py and app/providers.py."""

from typing import Any

import pytest
from pydantic import SecretStr

from app.keys import environment_keys, key_rings, new_key, rings_at_home
from app.models import choose
from app.names import COMPATIBLE, openai_name
from app.providers import address_of, provider_of
from app.settings import Settings
from app.store import open_store
from domain.errors import InvalidKey, MasterKeyMissing, UsageError
from domain.secrets import KeySource
from gateway.adapters.openai_adapter import OFFICIAL_URL, OpenAIProvider
from gateway.base import Endpoint
from gateway.keys import KeyRing

FIRST, SECOND, THIRD = (f"sk-fake-canary-{number}-0123456789" for number in "123")
OTHER_URL = "http://127.0.0.1:9/v1"


def secrets(ring: KeyRing) -> list[str]:
    """The keys of a ring in the order in which they are used."""
    found = []
    for _ in ring.states("m"):
        key = ring.next("m").key
        found.append(key.secret.get_secret_value())
        ring.refused(key.id, "used")
    return found


def settings_with(**secrets_of: str) -> Settings:
    """Settings as they would be read from variables."""
    values: dict[str, Any] = {name: SecretStr(value) for name, value in secrets_of.items()}
    return Settings(**values)


async def keep(settings: Settings, provider: str, secret: str) -> None:
    async with open_store(settings) as store:
        await store.keys.add(new_key(settings, provider, SecretStr(secret), "", KeySource.STORED))


@pytest.mark.usefixtures("home")
async def test_keys_of_the_environment_go_before_those_that_are_kept() -> None:
    settings = settings_with(openai_api_key=f"{SECOND} , {FIRST},", groq_api_key=FIRST)
    await keep(settings, "openai", THIRD)
    await keep(settings, "mistral", FIRST)
    rings = await rings_at_home(settings)
    assert {name: secrets(ring) for name, ring in rings.items()} == {
        "openai": [SECOND, FIRST, THIRD],
        "groq": [FIRST],
        "mistral": [FIRST],
    }


@pytest.mark.usefixtures("home")
async def test_a_key_that_is_set_and_kept_is_one_key() -> None:
    settings = settings_with(openai_api_key=FIRST)
    await keep(settings, "openai", FIRST)
    (ring,) = (await rings_at_home(settings)).values()
    assert secrets(ring) == [FIRST]


@pytest.mark.usefixtures("home")
async def test_only_the_keys_of_the_named_providers_are_decrypted() -> None:
    settings = settings_with(openai_api_key=FIRST, groq_api_key="broken key")
    await keep(settings, "mistral", SECOND)
    (settings.home / "master.key").unlink()
    assert list(await rings_at_home(settings, "openai")) == ["openai"]
    with pytest.raises(MasterKeyMissing):
        await rings_at_home(settings, "mistral")
    with pytest.raises(InvalidKey, match="GROQ_API_KEY"):
        await rings_at_home(settings, "groq")


@pytest.mark.usefixtures("home")
async def test_where_nothing_was_kept_nothing_is_made() -> None:
    settings = Settings()
    assert await rings_at_home(settings) == {}
    assert not settings.home.exists()


@pytest.mark.usefixtures("home")
async def test_the_id_of_a_key_is_the_same_in_the_environment_and_in_the_store() -> None:
    settings = settings_with(openai_api_key=FIRST)
    (of_environment,) = environment_keys(settings)
    await keep(settings, "openai", FIRST)
    async with open_store(settings) as store:
        assert [key.id for key in await store.keys.known()] == [of_environment.id]
        assert FIRST not in of_environment.id
        (ring,) = (await key_rings(settings, store.keys, "openai")).values()
    assert ring.next("m").key.source == "environment"


@pytest.mark.usefixtures("home")
async def test_every_secret_that_was_met_is_known_for_redaction() -> None:
    settings = settings_with(openai_api_key=FIRST, mistral_api_key="not valid", soundstage_master_key="ab" * 32)
    await keep(settings, "groq", SECOND)
    again = settings_with(openai_api_key=FIRST, mistral_api_key="not valid", soundstage_master_key="ab" * 32)
    await rings_at_home(again, "groq")
    known = {secret.get_secret_value() for secret in again.known_secrets}
    assert known == {FIRST, SECOND, "not valid", "ab" * 32}


@pytest.mark.usefixtures("home")
async def test_a_key_that_is_kept_for_openai_is_used_there_and_never_at_another_server() -> None:
    await keep(Settings(), "openai", FIRST)
    models = await choose(Settings(), None)
    assert (models.chosen.provider, models.chosen.model) == ("openai", "gpt-5-mini")
    assert secret_of(models.first) == FIRST
    other = Settings(openai_base_url=OTHER_URL, openai_model="m")
    models = await choose(other, "x")
    assert (models.chosen.provider, secret_of(models.first)) == (COMPATIBLE, "none")
    await keep(other, COMPATIBLE, SECOND)
    assert secret_of((await choose(other, "x")).first) == SECOND


def secret_of(model: object) -> str:
    """The key that a provider was made with."""
    assert isinstance(model, OpenAIProvider)
    return model._service.endpoint.api_key.get_secret_value()


def test_each_provider_has_its_address() -> None:
    assert openai_name(Settings()) == "openai"
    assert openai_name(Settings(openai_base_url=f"{OFFICIAL_URL}/")) == "openai"
    other = Settings(openai_base_url=OTHER_URL)
    assert openai_name(other) == COMPATIBLE
    assert address_of(other, COMPATIBLE) == OTHER_URL
    assert address_of(other, "openai") == OFFICIAL_URL
    for name in (COMPATIBLE, FIRST):
        with pytest.raises(UsageError, match="--url") as raised:
            address_of(Settings(), name)
        assert FIRST not in str(raised.value)


def test_an_unknown_provider_is_taken_to_speak_openais_protocol() -> None:
    assert isinstance(provider_of("some-name", Endpoint(name="some-name", base_url=OTHER_URL)), OpenAIProvider)
