import inspect
import json
from typing import Any

import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletion

from domain import errors
from domain.errors import SoundstageError
from gateway.adapters.openai_errors import openai_errors

URL = "http://127.0.0.1:1/v1"
REQUEST = httpx2.Request("POST", URL)
# What each class of the SDK means to us. A class that is new to the SDK is missing here until somebody decides.
MEANING: dict[str, type[SoundstageError]] = {
    "APIConnectionError": errors.ModelConnectionFailed,
    "APIError": errors.ModelOverloaded,
    "APIResponseValidationError": errors.ModelProtocolError,
    "APIStatusError": errors.ModelRequestRejected,
    "APITimeoutError": errors.ModelTimeout,
    "AuthenticationError": errors.ModelAuthenticationFailed,
    "BadRequestError": errors.ModelRequestRejected,
    "ConflictError": errors.ModelOverloaded,
    "ContentFilterFinishReasonError": errors.ModelRequestRejected,
    "InternalServerError": errors.ModelOverloaded,
    "LengthFinishReasonError": errors.ModelRequestRejected,
    "NotFoundError": errors.UnknownModel,
    "OAuthError": errors.ModelAuthenticationFailed,
    "OpenAIError": errors.ModelUnavailable,
    "PermissionDeniedError": errors.ModelAuthenticationFailed,
    "RateLimitError": errors.ModelOverloaded,
    "SubjectTokenProviderError": errors.ModelUnavailable,
    "UnprocessableEntityError": errors.ModelRequestRejected,
    "WebSocketConnectionClosedError": errors.ModelUnavailable,
    "WebSocketQueueFullError": errors.ModelUnavailable,
    "_AmbiguousModuleClientUsageError": errors.ModelUnavailable,
}
STATUS = {"InternalServerError": 500, "APIStatusError": 418, "OAuthError": 401}
# Of webhooks, which we do not receive; it is no OpenAIError either.
ELSEWHERE = {"InvalidWebhookSignatureError"}


def sdk_classes() -> dict[str, type[Exception]]:
    spaces = ({**vars(openai)}, {**vars(openai._exceptions)})
    found = [value for space in spaces for value in space.values() if inspect.isclass(value)]
    return {each.__name__: each for each in found if issubclass(each, Exception) and each.__name__ not in ELSEWHERE}


def an_instance(kind: type[Exception]) -> Exception:
    """The error as the SDK would make it: with those of these arguments that its constructor takes."""
    status = STATUS.get(kind.__name__, getattr(kind, "status_code", 200))
    known: dict[str, Any] = {
        "message": "the message",
        "response": httpx2.Response(status if isinstance(status, int) else 200, request=REQUEST),
        "request": REQUEST,
        "body": None,
        "completion": ChatCompletion(id="1", choices=[], created=0, model="m", object="chat.completion"),
        "unsent_messages": [],
    }
    taken = inspect.signature(kind.__init__).parameters
    return kind(**{name: known[name] for name in taken if name in known})


def ours(error: BaseException) -> SoundstageError:
    with pytest.raises(SoundstageError) as raised, openai_errors("gpt-x", URL):
        raise error
    assert raised.value.__cause__ is error
    return raised.value


def test_every_exception_of_the_sdk_has_a_meaning_and_none_is_left_of_an_older_sdk() -> None:
    assert set(sdk_classes()) == set(MEANING)


@pytest.mark.parametrize("name", sorted(sdk_classes()))
def test_every_exception_of_the_sdk_maps_to_the_error_that_it_means(name: str) -> None:
    assert type(ours(an_instance(sdk_classes()[name]))) is MEANING[name]


def status(code: int, message: str = "no", headers: dict[str, str] | None = None) -> SoundstageError:
    response = httpx2.Response(code, headers=headers, request=REQUEST)
    return ours(openai.APIStatusError(message, response=response, body=None))


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        (400, "This model's maximum context length is 8192 tokens", errors.ContextTooLong),
        (400, "{'code': 'context_length_exceeded'}", errors.ContextTooLong),
        (400, "request (9000 tokens) exceeds the available context size (8192 tokens)", errors.ContextTooLong),
        (413, "too many tokens", errors.ContextTooLong),
        (400, "temperature is too high", errors.ModelRequestRejected),
        (401, "no", errors.ModelAuthenticationFailed),
        (402, "pay first", errors.ModelRequestRejected),
        (403, "no", errors.ModelAuthenticationFailed),
        (404, "no", errors.UnknownModel),
        (408, "no", errors.ModelOverloaded),
        (429, "slow down", errors.ModelOverloaded),
        (429, "{'code': 'insufficient_quota'}", errors.ModelUnavailable),
        (500, "no", errors.ModelOverloaded),
        (502, "no", errors.ModelOverloaded),
        (503, "no", errors.ModelOverloaded),
        (529, "no", errors.ModelOverloaded),
    ],
)
def test_a_status_maps_to_what_the_user_or_the_retry_needs_to_know(
    code: int, message: str, expected: type[SoundstageError]
) -> None:
    assert type(status(code, message)) is expected


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "?", "retry-after": "9"}, 9.0),
    ],
)
def test_when_to_come_back_is_taken_from_the_headers_in_seconds(headers: dict[str, str], seconds: float | None) -> None:
    error = status(429, headers=headers)

    assert isinstance(error, errors.ModelOverloaded)
    assert error.retry_after_s == seconds


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (httpx2.ReadTimeout("late"), errors.ModelTimeout),
        (httpx2.RemoteProtocolError("peer closed"), errors.ModelConnectionFailed),
        (ConnectionResetError("reset"), errors.ModelConnectionFailed),
        (json.JSONDecodeError("no", "{", 1), errors.ModelProtocolError),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"), errors.ModelProtocolError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_the_sdk_lets_through_maps_too(error: Exception, expected: type[SoundstageError]) -> None:
    assert type(ours(error)) is expected


def test_an_error_of_ours_and_a_bug_pass_unchanged() -> None:
    for error in (errors.ModelProtocolError("ours"), AttributeError("a bug"), KeyboardInterrupt()):
        with pytest.raises(type(error)) as raised, openai_errors("m", URL):
            raise error
        assert raised.value is error


def test_a_message_is_one_short_line_whatever_the_provider_sends() -> None:
    message = str(status(400, "line\n" * 5000))

    assert "\n" not in message
    assert len(message) < 500


def test_a_password_in_the_url_is_not_in_the_message() -> None:
    with (
        pytest.raises(errors.ModelConnectionFailed) as raised,
        openai_errors("m", "http://user:s3cret@127.0.0.1:1/v1?key=s3cret"),
    ):
        raise ConnectionRefusedError("refused")

    assert "127.0.0.1:1" in str(raised.value)
    assert "s3cret" not in str(raised.value)
