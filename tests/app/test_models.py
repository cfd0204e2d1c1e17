"""Tests of app/models.py."""

import pytest
from pydantic import SecretStr

from app.models import choose
from app.settings import Settings
from domain.errors import ModelUnavailable, UnknownModel
from gateway.adapters.openai_adapter import OpenAIProvider
from gateway.scripted import ScriptedProvider
from tests.wire.openai_dialect import OpenAI, OpenAIServer
from tests.wire.server import refusing_url

KEY = SecretStr("sk-fake")


async def test_without_anything_the_scripted_model_works_and_says_so() -> None:
    model, chosen = await choose(Settings(), None)
    assert isinstance(model, ScriptedProvider)
    assert chosen.model == "scripted"
    assert "canned" in model.announcement
    await model.close()


async def test_a_key_means_openai_with_its_usual_model() -> None:
    model, chosen = await choose(Settings(openai_api_key=KEY), None)
    assert isinstance(model, OpenAIProvider)
    assert (chosen.provider, chosen.model) == ("openai", "gpt-5-mini")
    await model.close()


async def test_another_server_is_asked_what_it_offers() -> None:
    async with OpenAIServer(models=("first", "second")) as server:
        model, chosen = await choose(Settings(openai_base_url=server.url), None)
        assert (chosen.provider, chosen.model) == ("openai-compatible", "first")
        await model.close()
        model, chosen = await choose(Settings(openai_base_url=server.url, openai_model="second"), None)
        assert chosen.model == "second"
        await model.close()


async def test_a_named_model_goes_before_the_set_one() -> None:
    settings = Settings(openai_api_key=KEY, soundstage_model="set")
    assert (await choose(settings, "named"))[1].model == "named"
    assert (await choose(settings, None))[1].model == "set"


async def test_a_server_without_models_is_said() -> None:
    async with OpenAIServer(models=()) as server:
        with pytest.raises(UnknownModel, match="lists no model"):
            await choose(Settings(openai_base_url=server.url), None)


async def test_a_local_ollama_is_used_when_it_answers() -> None:
    async with OpenAIServer(models=("smollm2",)) as server:
        settings = Settings(ollama_host=server.url.removesuffix("/v1"))
        model, chosen = await choose(settings, None)
        assert (chosen.provider, chosen.model) == ("ollama", "smollm2")
        await model.close()
        model, chosen = await choose(settings, "ollama/other")
        assert chosen.model == "other"
        await model.close()


async def test_a_missing_ollama_is_said_with_the_remedy() -> None:
    host = refusing_url(OpenAI()).removesuffix("/v1")
    with pytest.raises(ModelUnavailable, match="ollama serve"):
        await choose(Settings(ollama_host=host), "ollama/any")


async def test_a_password_in_the_url_is_not_shown() -> None:
    async with OpenAIServer(models=("m",)) as server:
        url = server.url.replace("http://", "http://user:secret@")
        model, chosen = await choose(Settings(openai_base_url=url), None)
        assert "secret" not in chosen.why
        await model.close()


async def test_a_name_without_any_provider_is_unknown() -> None:
    with pytest.raises(UnknownModel, match="needs a provider"):
        await choose(Settings(), "gpt-nope")
