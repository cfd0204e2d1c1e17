import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from domain.errors import InvalidKey
from domain.secrets import ProviderKey, check_secret, key_id

CANARY = "sk-fake-canary-0123456789abcdef"


def key(secret: str = CANARY, provider: str = "openai") -> ProviderKey:
    return ProviderKey(id="1", provider=provider, secret=SecretStr(secret))


def test_a_key_shows_its_secret_in_no_text_of_its_own() -> None:
    mine = key()
    for text in (repr(mine), str(mine), mine.model_dump_json(), f"{mine.model_dump()}", repr([mine])):
        assert CANARY not in text
    assert mine.secret.get_secret_value() == CANARY


@pytest.mark.parametrize("secret", ["", "two words", "a,b", "line\nbreak", "sk-\u00e9", "\x00", "tab\t"])
def test_what_cannot_be_sent_as_a_key_is_refused_without_being_repeated(secret: str) -> None:
    with pytest.raises(InvalidKey) as raised:
        key(secret)
    assert not secret or secret not in str(raised.value)


def test_a_refused_provider_name_is_not_repeated_either() -> None:
    with pytest.raises(ValidationError) as raised:
        key(provider=CANARY + "_too_long_for_a_name")
    assert CANARY not in str(raised.value)


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=","), min_size=1))
def test_every_printable_word_without_a_comma_is_a_possible_key(secret: str) -> None:
    check_secret(SecretStr(secret))


@pytest.mark.parametrize(("secret", "last4"), [(CANARY, "cdef"), ("x" * 16 + "last", "last"), ("x" * 15 + "last", "")])
def test_the_end_of_a_key_is_shown_only_where_enough_remains_hidden(secret: str, last4: str) -> None:
    assert key(secret).last4 == last4


def test_an_id_is_short_the_same_again_and_different_for_another_key_provider_or_home() -> None:
    pepper, secret = b"p" * 32, SecretStr(CANARY)
    ids = {
        key_id(pepper, "openai", secret),
        key_id(pepper, "groq", secret),
        key_id(pepper, "openai", SecretStr(CANARY + "1")),
        key_id(b"q" * 32, "openai", secret),
    }
    assert len(ids) == 4
    assert all(len(found) == 12 for found in ids)
    assert key_id(pepper, "openai", secret) in ids
