import pytest

from domain.errors import UsageError
from domain.route import Candidate, Policy, parse_route

PROVIDERS = ("openai", "groq", "ollama")


def names(text: str) -> list[str]:
    return [str(candidate) for candidate in parse_route(text, PROVIDERS).candidates]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gpt-5-mini", ["openai/gpt-5-mini"]),
        ("groq/llama", ["groq/llama"]),
        ("groq/openai/gpt-oss-120b", ["groq/openai/gpt-oss-120b"]),
        ("meta-llama/Llama-3", ["openai/meta-llama/Llama-3"]),
        ("ollama/qwen3:8b, gpt-5-mini", ["ollama/qwen3:8b", "openai/gpt-5-mini"]),
        ("qwen3:8b", ["openai/qwen3:8b"]),
        ("openai/", ["openai/openai/"]),
    ],
)
def test_a_route_is_models_by_provider(text: str, expected: list[str]) -> None:
    assert names(text) == expected
    assert parse_route(text, PROVIDERS).policy is Policy.ORDERED


@pytest.mark.parametrize("policy", list(Policy))
def test_a_policy_may_stand_before_the_models(policy: Policy) -> None:
    route = parse_route(f"{policy}:groq/a,b", PROVIDERS)

    assert route.policy is policy
    assert route.candidates == (Candidate(provider="groq", model="a"), Candidate(provider="openai", model="b"))


@pytest.mark.parametrize("text", ["", ",", "a,,b", "cheapest:", "cheapest: ,a"])
def test_a_route_without_models_is_none(text: str) -> None:
    with pytest.raises(UsageError, match="names no models"):
        parse_route(text, PROVIDERS)
