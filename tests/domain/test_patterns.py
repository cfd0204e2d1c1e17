import pytest

from domain.patterns import best_fit, is_family

PATTERNS = ("gpt-5*", "gpt-5-mini", "gpt-5*-mini*", "*", "[a-c]?")


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gpt-5-mini", "gpt-5-mini"),
        ("GPT-5-Mini", "gpt-5-mini"),
        ("gpt-5-mini-2025-08-07", "gpt-5*-mini*"),
        ("gpt-5.2", "gpt-5*"),
        ("b1", "[a-c]?"),
        ("anything", "*"),
        ("", "*"),
        ("gpt-5*", "gpt-5*"),
    ],
)
def test_the_id_itself_goes_before_the_longest_glob_that_fits(model: str, expected: str) -> None:
    assert best_fit(PATTERNS, model) == expected
    assert best_fit(reversed(PATTERNS), model) == expected


def test_nothing_fits_when_nothing_does() -> None:
    assert best_fit(("gpt*",), "llama") is None
    assert best_fit((), "llama") is None


def test_a_family_is_told_from_one_model() -> None:
    assert not any(is_family(one) for one in ("qwen3:8b", "openai/gpt-oss-120b"))
    assert all(is_family(one) for one in ("gpt*", "a?", "[ab]"))
