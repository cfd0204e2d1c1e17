import inspect
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import groq
import httpx
import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletion

from domain import errors
from domain.errors import SoundstageError
from tests.gateway.adapters import contract
from tests.gateway.adapters.contract import KEY, Subject, ours, provider_at

URL = "http://127.0.0.1:1/v1"
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

    subject: Subject
    package: ModuleType
    exceptions: ModuleType
    http: Any
    meaning: dict[str, type[SoundstageError]]
    elsewhere: set[str] = field(default_factory=set)

    def ours(self, error: BaseException, url: str = URL) -> SoundstageError:
        return ours(provider_at(self.subject, url), error)

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
    "openai": Sdk(contract.OPENAI, openai, openai._exceptions, httpx2, OPENAI, {"InvalidWebhookSignatureError"}),
    "groq": Sdk(contract.GROQ, groq, groq._exceptions, httpx, GROQ),
}
each = pytest.mark.parametrize("sdk", SDKS.values(), ids=SDKS)


@each
def test_every_exception_of_an_sdk_has_a_meaning_and_none_is_left_of_an_older_one(sdk: Sdk) -> None:
    assert set(sdk.classes()) == set(sdk.meaning)


@pytest.mark.parametrize(
    ("sdk", "name"),
    [(sdk, name) for sdk in SDKS.values() for name in sorted(sdk.classes())],
    ids=lambda value: value.subject.name if isinstance(value, Sdk) else value,
)
def test_every_exception_of_an_sdk_maps_to_the_error_that_it_means(sdk: Sdk, name: str) -> None:
    assert type(sdk.ours(sdk.an_instance(sdk.classes()[name]))) is sdk.meaning[name]


@each
def test_a_code_or_a_type_that_only_the_body_tells_is_seen(sdk: Sdk) -> None:
    response = sdk.http.Response(429, request=sdk.http.Request("POST", URL))
    for told in ({"code": "insufficient_quota"}, {"type": "billing_not_active", "code": None}):
        error = sdk.package.APIStatusError("no", response=response, body={"error": told})

        assert type(sdk.ours(error)) is errors.NoCredit


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
def test_a_timeout_is_told_by_what_it_came_from(sdk: Sdk, cause: str, expected: type[SoundstageError]) -> None:
    wrapped = sdk.package.APITimeoutError(request=sdk.http.Request("POST", URL))
    wrapped.__cause__ = getattr(sdk.http, cause)("late")

    assert type(sdk.ours(wrapped)) is expected


@each
def test_neither_a_password_in_the_url_nor_the_key_is_in_the_message(sdk: Sdk) -> None:
    error = sdk.ours(ConnectionRefusedError(f"refused {KEY}"), "http://user:s3cret@127.0.0.1:1/v1?key=s3cret")

    assert "127.0.0.1:1" in str(error)
    assert "s3cret" not in str(error)
    assert KEY not in str(error)
