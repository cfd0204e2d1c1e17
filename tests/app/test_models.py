"""Tests of app/models.py."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from app.models import choose
from app.ollama import ollama_url
from app.providers import is_loopback
from app.settings import Settings
from domain.errors import ModelUnavailable, UnknownModel, UsageError
from domain.route import Candidate, parse_route
from gateway.adapters.ollama_adapter import OllamaProvider
from gateway.adapters.openai_adapter import OpenAIProvider
from gateway.scripted import ScriptedProvider
from tests.wire.ollama_dialect import Ollama
from tests.wire.openai_dialect import OpenAI, OpenAIServer
from tests.wire.server import WireServer, refusing_url

KEY = SecretStr("sk-fake-0123456789")
NOBODY = refusing_url(Ollama())


async def test_without_anything_the_scripted_model_works_and_says_so() -> None:
    models = await choose(Settings(), None)
    assert isinstance(models.first, ScriptedProvider)
    assert models.chosen.route == "scripted"
    assert "canned" in models.first.announcement
    await models.close()


async def test_a_key_means_openai_with_its_usual_model() -> None:
    models = await choose(Settings(openai_api_key=KEY), None)
    assert isinstance(models.first, OpenAIProvider)
    assert (models.chosen.provider, models.chosen.route) == ("openai", "gpt-5-mini")
    await models.close()


async def test_several_keys_are_several_adapters_of_one_provider() -> None:
    models = await choose(Settings(openai_api_key=SecretStr("sk-fake-one-111,sk-fake-two-222")), None)
    (openai,) = models.upstreams
    assert len(openai._providers) == 2
    await models.close()


async def test_providers_that_are_set_up_stand_in_for_each_other_with_their_usual_models() -> None:
    async with WireServer(Ollama(), models=("smollm2",)) as ollama:
        settings = Settings(openai_api_key=KEY, groq_api_key=KEY, mistral_api_key=KEY, ollama_host=ollama.url)
        models = await choose(settings, None)
    assert [upstream.name for upstream in models.upstreams] == ["openai", "groq", "mistral", "ollama"]
    first, groq, mistral, last = models.chosen.route.split(",")
    assert (first, last) == ("openai/gpt-5-mini", "ollama/smollm2")
    assert groq.startswith("groq/")
    assert mistral.startswith("mistral/")
    assert "then groq/" in models.chosen.why
    await models.close()


async def test_local_only_leaves_out_what_is_not_local() -> None:
    async with WireServer(Ollama(), models=("smollm2",)) as ollama, OpenAIServer(models=("near",)) as near:
        far = Settings(openai_api_key=KEY, groq_api_key=KEY, ollama_host=ollama.url, soundstage_local_only=True)
        models = await choose(far, None)
        assert models.chosen.route == "smollm2"
        await models.close()
        local = Settings(openai_base_url=near.url, groq_api_key=KEY, ollama_host=ollama.url, soundstage_local_only=True)
        models = await choose(local, None)
        await models.close()
    assert models.chosen.route == "openai-compatible/near,ollama/smollm2"


@pytest.mark.parametrize("host", ["https://gpu.example.com", "192.0.2.7:11434", "[2001:db8::7]"])
async def test_local_only_leaves_out_an_ollama_that_is_elsewhere_and_asks_it_nothing(host: str) -> None:
    settings = Settings(ollama_host=host, soundstage_local_only=True)
    models = await choose(settings, None)
    assert models.chosen.provider == "scripted"
    await models.close()
    with pytest.raises(UsageError, match="SOUNDSTAGE_LOCAL_ONLY"):
        await choose(settings, "ollama/any")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.53", "[::1]", "0.0.0.0"])
async def test_local_only_takes_an_ollama_on_this_machine(host: str) -> None:
    url = ollama_url(Settings(ollama_host=host))
    assert is_loopback(url), url


async def test_another_server_is_asked_what_it_offers() -> None:
    async with OpenAIServer(models=("first", "second")) as server:
        models = await choose(Settings(openai_base_url=server.url), None)
        assert (models.chosen.provider, models.chosen.route) == ("openai-compatible", "first")
        await models.close()
        models = await choose(Settings(openai_base_url=server.url, openai_model="second"), None)
        assert models.chosen.model == "second"
        await models.close()


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://[::1]:8000/v1", True),
        ("https://vllm.example.com/v1", False),
        ("http://192.168.1.5:8000/v1", False),
    ],
)
async def test_a_compatible_server_on_this_machine_is_local(url: str, local: bool) -> None:
    models = await choose(Settings(openai_base_url=url, openai_model="m"), None)
    assert [upstream.local for upstream in models.upstreams] == [local]
    await models.close()


async def test_a_provider_with_an_address_of_its_own_is_not_local_wherever_that_is() -> None:
    settings = Settings(groq_api_key=KEY, groq_base_url="http://127.0.0.1:8000/openai/v1", openai_api_key=KEY)
    models = await choose(settings, None)
    assert not any(upstream.local for upstream in models.upstreams)
    await models.close()


async def test_the_default_that_a_person_wrote_down_holds_also_for_what_is_local(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[[model]]\nprovider = "ollama"\nid = "second"\ndefault = true\n')
    async with WireServer(Ollama(), models=("first", "second")) as ollama:
        models = await choose(Settings(ollama_host=ollama.url, soundstage_models_file=own), None)
        await models.close()
    assert models.chosen.model == "second"


async def test_a_named_model_goes_before_the_set_one() -> None:
    settings = Settings(openai_api_key=KEY, soundstage_model="set")
    assert (await choose(settings, "named")).chosen.route == "named"
    assert (await choose(settings, None)).chosen.route == "set"


async def test_a_route_may_be_named() -> None:
    settings = Settings(openai_api_key=KEY, groq_api_key=KEY)
    models = await choose(settings, "cheapest:groq/openai/gpt-oss-120b,gpt-5-mini")
    assert (models.chosen.provider, models.chosen.model) == ("groq", "openai/gpt-oss-120b")
    assert models.chosen.route == "cheapest:groq/openai/gpt-oss-120b,gpt-5-mini"
    await models.close()


async def test_a_model_of_a_provider_that_is_not_set_up_is_said() -> None:
    with pytest.raises(UsageError, match="groq is not set up"):
        await choose(Settings(openai_api_key=KEY), "groq/llama-3.3-70b-versatile")


async def test_a_server_without_models_is_said() -> None:
    async with OpenAIServer(models=()) as server:
        with pytest.raises(UnknownModel, match="lists no model"):
            await choose(Settings(openai_base_url=server.url), None)


async def test_a_provider_that_does_not_list_its_models_is_named_and_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    dead = refusing_url(OpenAI())
    async with WireServer(Ollama(), models=("smollm2",)) as ollama:
        models = await choose(Settings(openai_base_url=dead, groq_api_key=KEY, ollama_host=ollama.url), None)
        await models.close()
        alone = await choose(Settings(openai_base_url=dead, ollama_host=ollama.url), None)
        await alone.close()
    assert models.chosen.route == "groq/openai/gpt-oss-120b,ollama/smollm2"
    assert (alone.chosen.provider, alone.chosen.route) == ("ollama", "ollama/smollm2")
    assert parse_route(alone.chosen.route, tuple(each.name for each in alone.upstreams)).candidates == (
        Candidate(provider="ollama", model="smollm2"),
    )
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert all(line.startswith("openai-compatible does not list its models: No connection") for line in said)


async def test_where_no_provider_has_a_model_each_is_named() -> None:
    async with WireServer(Ollama(), models=()) as ollama:
        settings = Settings(openai_base_url=refusing_url(OpenAI()), ollama_host=ollama.url)
        with pytest.raises(ModelUnavailable) as raised:
            await choose(settings, None)
    assert "openai-compatible: No connection" in str(raised.value)
    assert "ollama: The server at" in str(raised.value)


async def test_a_local_ollama_is_used_when_it_answers() -> None:
    async with WireServer(Ollama(), models=("smollm2",)) as server:
        settings = Settings(ollama_host=server.url)
        models = await choose(settings, None)
        assert isinstance(models.first, OllamaProvider)
        assert (models.chosen.provider, models.chosen.route) == ("ollama", "smollm2")
        await models.close()
        models = await choose(settings, "ollama/other")
        assert models.chosen.model == "other"
        await models.close()


async def test_a_missing_ollama_is_said_with_the_remedy() -> None:
    with pytest.raises(ModelUnavailable, match="ollama serve"):
        await choose(Settings(ollama_host=NOBODY), "ollama/any")


async def test_a_password_in_the_url_is_not_shown() -> None:
    async with OpenAIServer(models=("m",)) as server:
        url = server.url.replace("http://", "http://user:secret@")
        models = await choose(Settings(openai_base_url=url), None)
        assert "secret" not in models.chosen.why
        await models.close()


async def test_a_name_without_any_provider_is_unknown() -> None:
    with pytest.raises(UnknownModel, match="needs a provider"):
        await choose(Settings(), "gpt-nope")
