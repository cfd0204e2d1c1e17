import inspect

import ollama
import pytest
from ollama import _types

from domain import errors
from domain.errors import SoundstageError
from tests.gateway.adapters.contract import OLLAMA, ours, provider_at

PROVIDER = provider_at(OLLAMA, "http://127.0.0.1:1")
# What each class of the SDK means to us. A class that is new to the SDK is missing here until somebody decides.
MEANING: dict[str, type[SoundstageError]] = {
    "RequestError": errors.ModelRequestRejected,
    "ResponseError": errors.ModelOverloaded,
}


def sdk_classes() -> dict[str, type[Exception]]:
    found = [*vars(ollama).values(), *vars(_types).values(), *vars(ollama._client).values()]
    kinds = [each for each in found if inspect.isclass(each) and issubclass(each, Exception)]
    return {each.__name__: each for each in kinds if each.__module__.startswith("ollama")}


def test_every_exception_of_the_sdk_has_a_meaning_and_none_is_left_of_an_older_sdk() -> None:
    assert set(sdk_classes()) == set(MEANING)


@pytest.mark.parametrize("name", sorted(sdk_classes()))
def test_every_exception_of_the_sdk_maps_to_the_error_that_it_means(name: str) -> None:
    assert type(ours(PROVIDER, sdk_classes()[name]("the message"))) is MEANING[name]


@pytest.mark.parametrize(
    ("code", "said", "expected"),
    [
        (400, '"smollm2" does not support thinking', errors.ModelRequestRejected),
        (400, "the input length exceeds the context length", errors.ContextTooLong),
        (401, "unauthorized", errors.ModelAuthenticationFailed),
        (404, 'model "qwen3" not found, try pulling it first', errors.UnknownModel),
        (404, "404 page not found", errors.UnknownModel),
        (429, "too many requests", errors.RateLimited),
        (500, "model requires more system memory (9.1 GiB) than is available", errors.ModelOverloaded),
        (502, '{"error": {"message": "no"}}', errors.ModelOverloaded),
        (503, "server busy, please try again. maximum pending requests exceeded", errors.ModelOverloaded),
        (-1, "an error was encountered while running the model", errors.ModelOverloaded),
        (-1, "input exceeds the context size", errors.ContextTooLong),
    ],
)
def test_what_ollama_answers_maps_to_what_the_user_or_the_retry_needs_to_know(
    code: int, said: str, expected: type[SoundstageError]
) -> None:
    assert type(ours(PROVIDER, ollama.ResponseError(said, code))) is expected


def test_the_sdk_has_a_plain_error_for_a_connection_that_was_refused() -> None:
    assert type(ours(PROVIDER, ConnectionError("Failed to connect to Ollama."))) is errors.ModelConnectionFailed
