from pathlib import Path

import pytest
from pydantic import ValidationError

from app.models import DEFAULT_OPENAI_MODEL
from app.models_file import read_models
from domain.catalogue import Capability, Catalogue, ModelInfo
from domain.patterns import is_family
from gateway.published import published, published_context

OURS = read_models().model
CATALOGUE = Catalogue(OURS, published_context)
CHAT = [entry for entry in OURS if Capability.EMBEDDINGS not in entry.capabilities]


def info(name: str, **more: object) -> ModelInfo:
    return ModelInfo.model_validate({"provider": "p", "id": name, **more})


def test_what_is_found_bears_the_name_that_was_asked_for() -> None:
    found = Catalogue([info("big*", strength=4), info("big-one", strength=5)]).find("p", "big-two")
    assert (found.id, found.strength, found.known, found.default) == ("big-two", 4, True, False)


def test_nothing_is_promised_of_a_model_that_nobody_knows() -> None:
    found = CATALOGUE.find("openai-compatible", "unheard-of")
    assert not found.known
    assert found.capabilities == frozenset()
    assert (found.context_tokens, found.output_tokens) == (8192, 4096)


def test_where_a_context_length_is_not_said_the_published_one_holds() -> None:
    assert CATALOGUE.find("openai", "o3").context_tokens == 200_000
    entries = [info("o3", provider="openai"), info("o4*", provider="openai", context_tokens=5)]
    catalogue = Catalogue(entries, published_context)
    assert catalogue.find("openai", "o3").context_tokens == 200_000
    assert catalogue.find("openai", "o4-mini").context_tokens == 5


def test_a_later_entry_takes_the_place_of_an_earlier_one() -> None:
    catalogue = Catalogue([info("a", strength=1, default=True), info("b"), info("a", strength=5)])
    assert [(entry.id, entry.strength) for entry in catalogue.all()] == [("a", 5), ("b", 2)]
    assert catalogue.default("p") is None


def test_a_provider_has_one_default_and_the_later_one_it_is() -> None:
    catalogue = Catalogue([info("a", default=True), info("b", default=True)])
    assert [entry.default for entry in catalogue.all()] == [False, True]
    assert catalogue.default("p") == catalogue.find("p", "b")
    assert catalogue.default("nobody") is None
    with pytest.raises(ValidationError, match="give the id of one"):
        info("b*", default=True)


def test_a_model_is_looked_for_once() -> None:
    assert CATALOGUE.find("openai", "gpt-5.4-nano") is CATALOGUE.find("openai", "gpt-5.4-nano")


@pytest.mark.parametrize(
    ("provider", "model", "can"),
    [
        ("openai", "gpt-5-mini-2025-08-07", Capability.TOOLS),
        ("groq", "openai/gpt-oss-20b", Capability.JSON_SCHEMA),
        ("mistral", "codestral-2508", Capability.TOOLS),
        ("mistral", "codestral-embed-2505", Capability.EMBEDDINGS),
        ("ollama", "qwen3:8b", Capability.REASONING),
        ("ollama", "qwen3-embedding:4b", Capability.EMBEDDINGS),
        ("openai-compatible", "Qwen/Qwen3-Coder-30B-A3B-Instruct", Capability.TOOLS),
        ("scripted", "scripted", Capability.TOOLS),
    ],
)
def test_the_models_of_today_are_known(provider: str, model: str, can: Capability) -> None:
    found = CATALOGUE.find(provider, model)
    assert found.known
    assert can in found.capabilities


@pytest.mark.parametrize("model", ["gpt-6-astra", "gpt-6.1-sol", "gpt-5.6-luna-2026-07-01"])
def test_no_tools_are_promised_where_chat_completions_refuses_them(model: str) -> None:
    assert Capability.TOOLS not in CATALOGUE.find("openai", model).capabilities


def test_our_default_for_openai_is_the_one_that_is_used() -> None:
    default = CATALOGUE.default("openai")
    assert default is not None
    assert default.id == DEFAULT_OPENAI_MODEL


@pytest.mark.parametrize("provider", ["openai", "groq", "mistral"])
def test_our_file_gives_every_hosted_provider_a_default_and_a_model_for_each_role(provider: str) -> None:
    entries = [entry for entry in OURS if entry.provider == provider]
    assert sum(entry.default for entry in entries) == 1
    assert {role for entry in entries for role in entry.roles} >= {"plan", "code", "test"}


def test_our_file_says_every_length_and_knows_no_model_twice() -> None:
    assert all("context_tokens" in entry.model_fields_set for entry in OURS)
    assert all("output_tokens" in entry.model_fields_set for entry in CHAT)
    assert all(entry.output_tokens <= entry.context_tokens for entry in CHAT)
    assert len({(entry.provider, entry.id) for entry in OURS}) == len(OURS)


def test_no_context_length_of_ours_is_above_the_published_one() -> None:
    for entry in OURS:
        listed = None if is_family(entry.id) else published(entry.provider, entry.id)
        if listed is not None and listed.context_window is not None:
            assert entry.context_tokens <= listed.context_window, entry.id


def test_our_file_is_part_of_the_package() -> None:
    assert (Path(__file__).resolve().parents[2] / "gateway" / "models.toml").is_file()
