import inspect
import json
from typing import Any

import httpx2
import pytest
from mistralai.client import errors as sdk
from mistralai.client.models import ObservabilityErrorDetail
from mistralai.extra import exceptions as extra
from pydantic import ValidationError

from domain import errors
from domain.errors import SoundstageError
from tests.gateway.adapters.contract import MISTRAL, ours, provider_at

PROVIDER = provider_at(MISTRAL, "http://user:s3cret@127.0.0.1:1")
# What each class of the SDK means to us. A class that is new to the SDK is missing here until somebody decides.
MEANING: dict[str, type[SoundstageError]] = {
    "HTTPValidationError": errors.ModelRequestRejected,
    "MistralClientException": errors.ModelUnavailable,
    "MistralError": errors.ModelOverloaded,
    "NoResponseError": errors.ModelConnectionLost,
    "ObservabilityError": errors.ModelRequestRejected,
    "ResponseValidationError": errors.ModelProtocolError,
    "SDKError": errors.RateLimited,
}
STATUS = {"MistralError": 503, "SDKError": 429, "ResponseValidationError": 200}


def sdk_classes() -> dict[str, type[Exception]]:
    found = [getattr(sdk, name) for name in sdk.__all__]
    kinds = [each for each in found if inspect.isclass(each) and issubclass(each, Exception)]
    return {each.__name__: each for each in [*kinds, extra.MistralClientException]}


def an_instance(kind: type[Exception]) -> Exception:
    """The error as the SDK would make it: with those of these arguments that its constructor takes."""
    known: dict[str, Any] = {
        "message": "the message",
        "raw_response": httpx2.Response(STATUS.get(kind.__name__, 422)),
        "body": '{"detail": []}',
        "cause": ValueError(),
        "data": sdk.ObservabilityErrorData(detail=ObservabilityErrorDetail(message="no", error_code=None)),
    }
    if kind is extra.MistralClientException:
        return kind("the message")
    taken = inspect.signature(kind).parameters
    return kind(**{name: known[name] for name in taken if name in known})


def test_every_exception_of_the_sdk_has_a_meaning_and_none_is_left_of_an_older_sdk() -> None:
    assert set(sdk_classes()) == set(MEANING)


@pytest.mark.parametrize("name", sorted(sdk_classes()))
def test_every_exception_of_the_sdk_maps_to_the_error_that_it_means(name: str) -> None:
    assert type(ours(PROVIDER, an_instance(sdk_classes()[name]))) is MEANING[name]


def test_every_other_exception_of_the_sdk_is_one_of_its_client() -> None:
    kinds = [each for _, each in inspect.getmembers(extra, inspect.isclass) if each.__module__ == extra.__name__]
    raised = [each for each in kinds if issubclass(each, Exception)]

    assert raised
    assert all(issubclass(each, extra.MistralClientException) for each in raised)


def status(code: int, body: object, headers: dict[str, str] | None = None) -> SoundstageError:
    text = body if isinstance(body, str) else json.dumps(body)
    return ours(PROVIDER, sdk.SDKError("API error occurred", httpx2.Response(code, headers=headers), text))


@pytest.mark.parametrize(
    ("code", "body", "expected"),
    [
        (200, "<html>It works!</html>", errors.ModelProtocolError),
        (302, "", errors.ModelProtocolError),
        (400, {"message": "Invalid model: x", "code": "1500"}, errors.UnknownModel),
        (
            400,
            {"message": "Prompt contains 9 tokens, too large for model with 8 maximum context length"},
            errors.ContextTooLong,
        ),
        (400, {"message": "Unexpected role 'user' after role 'tool'", "code": "3230"}, errors.ModelRequestRejected),
        (401, {"message": "Unauthorized", "request_id": "1"}, errors.ModelAuthenticationFailed),
        (401, {"detail": "Unauthorized"}, errors.ModelAuthenticationFailed),
        (404, {"message": "no Route matched with those values"}, errors.UnknownModel),
        (422, {"message": {"detail": [{"msg": "Extra inputs are not permitted"}]}}, errors.ModelRequestRejected),
        (429, {"message": "Service tier capacity exceeded", "code": "3505"}, errors.RateLimited),
        (500, "[]", errors.ModelOverloaded),
        (503, "<html>no healthy upstream</html>", errors.ModelOverloaded),
    ],
)
def test_what_mistral_answers_maps_to_what_the_user_or_the_retry_needs_to_know(
    code: int, body: object, expected: type[SoundstageError]
) -> None:
    assert type(status(code, body)) is expected


def test_when_to_come_back_is_taken_from_the_headers() -> None:
    error = status(429, "", {"Retry-After": "7"})

    assert isinstance(error, errors.ModelOverloaded)
    assert error.retry_after_s == 7.0


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (httpx2.ConnectError("refused"), errors.ModelConnectionFailed),
        (ValidationError.from_exception_data("ChatCompletionRequest", []), errors.ModelRequestRejected),
        (extra.StreamDisconnectedError(reason="read_error", error="x"), errors.ModelUnavailable),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_the_sdk_lets_through_maps_too(error: Exception, expected: type[SoundstageError]) -> None:
    found = ours(PROVIDER, error)

    assert type(found) is expected
    assert "s3cret" not in str(found)
