from decimal import Decimal
from pathlib import Path

import pytest

from app.models_file import read_knowledge, read_models
from app.settings import Settings
from domain.errors import UsageError

GOOD = """
[[model]]
provider = "openai-compatible"
id = "mine"
context_tokens = 32_768
capabilities = ["tools"]

[[price]]
provider = "openai-compatible"
id = "mine"
input = 0.1
output = 1
"""
MODEL = '[[model]]\nprovider = "openai"\nid = "gpt-9"\n'
BROKEN = [
    ("[[model]", "is no TOML"),
    ("\xff", "is no TOML"),
    ("[[modle]]\nid = 1", "[[modle]]: Extra inputs"),
    ("[model]\nid = 1", "[[model]]: Input should be a valid tuple"),
    ("model = 1", "[[model]]: Input should be a valid tuple"),
    ("model = [1]", "model 1: Input should be a valid dictionary"),
    (GOOD + MODEL + "strength = 6", "model 2 (openai gpt-9), strength: Input should be less than or equal to 5"),
    (MODEL + 'capabilities = ["flight"]', "model 1 (openai gpt-9), capabilities, 0: Input should be 'tools'"),
    (MODEL + "contxt_tokens = 1", "model 1 (openai gpt-9), contxt_tokens: Extra inputs are not permitted"),
    ('[[model]]\nid = "x"', "model 1 (? x), provider: Field required"),
    ('[[model]]\nprovider = "p"\nid = "x*"\ndefault = true', "model 1 (p x*): a family of models cannot be"),
    ('[[price]]\nprovider = "p"\nid = "x"\ninput = -1\noutput = 1', "price 1 (p x), input: Input should be greater"),
    ('[[price]]\nprovider = "p"\nid = "x"\ninput = nan\noutput = 1', "price 1 (p x), input: Input should be a finite"),
    ('[[price]]\nprovider = "p"\nid = "x"\ninput = 1', "price 1 (p x), output: Field required"),
]


def test_what_a_person_wrote_comes_after_ours_and_prices_are_exact(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    file.write_text(GOOD)

    found, ours = read_models(file), read_models()

    assert found.model[:-1] == ours.model
    assert (found.model[-1].id, found.model[-1].context_tokens) == ("mine", 32_768)
    (price,) = found.price
    assert (price.input, price.output) == (Decimal("0.1"), Decimal(1))
    assert price.cached_input is None


@pytest.mark.parametrize(("content", "message"), BROKEN)
def test_a_broken_file_is_named_with_the_entry_and_the_field(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "models.toml"
    file.write_bytes(content.encode("latin-1"))

    with pytest.raises(UsageError) as raised:
        read_models(file)

    assert str(raised.value).startswith(str(file))
    assert message in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="SOUNDSTAGE_MODELS_FILE"):
        read_models(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(("asked", "known"), [(16_384, 16_384), (65_536, 65_536), (10**6, 262_144)])
def test_a_model_of_ollama_is_known_to_take_no_more_than_ollama_is_asked_to_keep(
    home: Path, asked: int, known: int
) -> None:
    catalogue = read_knowledge(Settings(soundstage_ollama_context=asked)).catalogue
    info = catalogue.find("ollama", "qwen3-coder:30b")
    assert info.context_tokens == known
    assert info.output_tokens <= known
    assert catalogue.find("ollama", "smollm2:135m").context_tokens == 8_192
    assert catalogue.find("groq", "openai/gpt-oss-20b").context_tokens == 131_072
