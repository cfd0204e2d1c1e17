import inspect
import json
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import groq
import httpx
import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletion
from pydantic import SecretStr

from domain import errors
from domain.errors import SoundstageError
from gateway.adapters.groq_adapter import GroqProvider
from gateway.adapters.openai_adapter import OpenAIProvider
from gateway.base import Endpoint

URL = "http://127.0.0.1:1/v1"
KEY = "sk-very-secret-0123456789"
# What each class of the SDKs means to us. A class that is new to an SDK is missing here until somebody decides.
COMMON: dict[str, type[SoundstageError]] = {
    "APIConnectionError": errors.ModelConnectionLost,
    "APIError": errors.ModelOverloaded,
    "APIResponseValidationError": errors.ModelProtocolError,
    "APIStatusError": errors.ModelRequestRejected,
    "APITimeoutError": errors.ModelTimeout,
    "AuthenticationError": errors.ModelAuthenticationFailed,
    "BadRequestError": errors.ModelRequestRejected,
    "ConflictError": errors.ModelOverloaded,
    "InternalServerError": errors.ModelOverloaded,
    "NotFoundError": errors.UnknownModel,
    "PermissionDeniedError": errors.ModelAuthenticationFailed,
    "RateLimitError": errors.RateLimited,
    "UnprocessableEntityError": errors.ModelRequestRejected,
}
OPENAI = COMMON | {
    # Of a way to ask that we do not use.
    "ContentFilterFinishReasonError": errors.ModelUnavailable,
    "LengthFinishReasonError": errors.ModelUnavailable,
    "OAuthError": errors.ModelAuthenticationFailed,
    "OpenAIError": errors.ModelUnavailable,
    "SubjectTokenProviderError": errors.ModelUnavailable,
    "WebSocketConnectionClosedError": errors.ModelUnavailable,
    "WebSocketQueueFullError": errors.ModelUnavailable,
    "_AmbiguousModuleClientUsageError": errors.ModelUnavailable,
}
GROQ = COMMON | {"GroqError": errors.ModelUnavailable}
STATUS = {"InternalServerError": 500, "APIStatusError": 418, "OAuthError": 401}


@dataclass(frozen=True)
class Sdk:
    """An adapter, the SDK in it, the HTTP client in it, and what their exceptions mean."""

    provider: type[OpenAIProvider]
    package: ModuleType
    exceptions: ModuleType
    http: Any
    meaning: dict[str, type[SoundstageError]]
    elsewhere: set[str] = field(default_factory=set)

    def mapping(self, url: str = URL) -> AbstractContextManager[None]:
        return self.provider(Endpoint(name="p", base_url=url, api_key=SecretStr(KEY))).errors("gpt-x")

    def classes(self) -> dict[str, type[Exception]]:
        spaces = ({**vars(self.package)}, {**vars(self.exceptions)})
        found = [value for space in spaces for value in space.values() if inspect.isclass(value)]
        kinds = {each.__name__: each for each in found if issubclass(each, Exception)}
        return {name: kind for name, kind in kinds.items() if name not in self.elsewhere}

    def an_instance(self, kind: type[Exception]) -> Exception:
        """The error as the SDK would make it: with those of these arguments that its constructor takes."""
        status = STATUS.get(kind.__name__, getattr(kind, "status_code", 200))
        request = self.http.Request("POST", URL)
        known: dict[str, Any] = {
            "message": "the message",
            "response": self.http.Response(status if isinstance(status, int) else 200, request=request),
            "request": request,
            "body": None,
            "completion": ChatCompletion(id="1", choices=[], created=0, model="m", object="chat.completion"),
            "unsent_messages": [],
        }
        taken = inspect.signature(kind.__init__).parameters
        return kind(**{name: known[name] for name in taken if name in known})


# The signature is of webhooks, which we do not receive; it is no OpenAIError either.
SDKS = {
    "openai": Sdk(OpenAIProvider, openai, openai._exceptions, httpx2, OPENAI, {"InvalidWebhookSignatureError"}),
    "groq": Sdk(GroqProvider, groq, groq._exceptions, httpx, GROQ),
}
each = pytest.mark.parametrize("sdk", SDKS.values(), ids=SDKS)


def ours(sdk: Sdk, error: BaseException, url: str = URL) -> SoundstageError:
    with pytest.raises(SoundstageError) as raised, sdk.mapping(url):
        raise error
    assert raised.value.__cause__ is error
    return raised.value


@each
def test_every_exception_of_an_sdk_has_a_meaning_and_none_is_left_of_an_older_one(sdk: Sdk) -> None:
    assert set(sdk.classes()) == set(sdk.meaning)


@pytest.mark.parametrize(
    ("sdk", "name"), [(sdk, name) for sdk in SDKS.values() for name in sorted(sdk.classes())], ids=str
)
def test_every_exception_of_an_sdk_maps_to_the_error_that_it_means(sdk: Sdk, name: str) -> None:
    assert type(ours(sdk, sdk.an_instance(sdk.classes()[name]))) is sdk.meaning[name]


@each
def test_a_code_or_a_type_that_only_the_body_tells_is_seen(sdk: Sdk) -> None:
    response = sdk.http.Response(429, request=sdk.http.Request("POST", URL))
    for told in ({"code": "insufficient_quota"}, {"type": "billing_not_active", "code": None}):
        error = sdk.package.APIStatusError("no", response=response, body={"error": told})

        assert type(ours(sdk, error)) is errors.NoCredit


@each
def test_what_an_sdk_lets_through_maps_too(sdk: Sdk) -> None:
    assert type(ours(sdk, sdk.http.ReadTimeout("late"))) is errors.ModelTimeout
    assert type(ours(sdk, sdk.http.RemoteProtocolError("peer closed"))) is errors.ModelConnectionLost
    assert type(ours(sdk, ConnectionResetError("reset"))) is errors.ModelConnectionLost
    assert type(ours(sdk, json.JSONDecodeError("no", "{", 1))) is errors.ModelProtocolError
    assert type(ours(sdk, UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"))) is errors.ModelProtocolError


@each
@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        ("ReadTimeout", errors.ModelTimeout),
        ("WriteTimeout", errors.ModelTimeout),
        ("ConnectTimeout", errors.ModelConnectionFailed),
        ("PoolTimeout", errors.ModelConnectionFailed),
    ],
)
def test_a_timeout_before_anything_was_sent_is_told_apart(
    sdk: Sdk, cause: str, expected: type[SoundstageError]
) -> None:
    late = getattr(sdk.http, cause)("late")
    wrapped = sdk.package.APITimeoutError(request=sdk.http.Request("POST", URL))
    wrapped.__cause__ = late

    assert type(ours(sdk, late)) is type(ours(sdk, wrapped)) is expected


@each
def test_an_error_of_ours_and_a_bug_pass_unchanged(sdk: Sdk) -> None:
    for error in (errors.ModelProtocolError("ours"), AttributeError("a bug"), KeyboardInterrupt()):
        with pytest.raises(type(error)) as raised, sdk.mapping():
            raise error
        assert raised.value is error


@each
def test_neither_a_password_in_the_url_nor_the_key_is_in_the_message(sdk: Sdk) -> None:
    error = ours(sdk, ConnectionRefusedError(f"refused {KEY}"), "http://user:s3cret@127.0.0.1:1/v1?key=s3cret")

    assert "127.0.0.1:1" in str(error)
    assert "s3cret" not in str(error)
    assert KEY not in str(error)
