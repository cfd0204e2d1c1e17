"""The ``openai`` package's exceptions, in our words. Every class of theirs maps to one of ours."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import openai
from pydantic import SecretStr

from domain.errors import (
    ContextTooLong,
    ModelAuthenticationFailed,
    ModelConnectionFailed,
    ModelOverloaded,
    ModelProtocolError,
    ModelRequestRejected,
    ModelTimeout,
    ModelUnavailable,
    SoundstageError,
    UnknownModel,
)
from domain.text import public_url
from gateway.redaction import Redactor

MESSAGE_CHARACTERS = 300
CONTEXT_MARKS = ("context_length_exceeded", "maximum context", "context size", "context length", "too many tokens")


@contextmanager
def openai_errors(model: str, url: str, secret: str = "") -> Iterator[None]:
    """Maps whatever the SDK raises. ``model`` and ``url`` go into the messages, without credentials; ``secret``
    is taken out of them and of the SDK's error, whoever put it there, and before a message is cut."""
    try:
        yield
    except (openai.OpenAIError, httpx2.HTTPError, json.JSONDecodeError, UnicodeDecodeError, OSError) as error:
        redactor = Redactor([SecretStr(secret)])
        redactor.error(error)
        mapped = _ours(error, model, public_url(url))
        redactor.error(mapped)
        raise mapped from error


def _ours(error: Exception, model: str, url: str) -> SoundstageError:
    match error:
        case openai.APIStatusError():
            return status_error(error, model)
        case openai.APITimeoutError() | httpx2.TimeoutException():
            return ModelTimeout()
        case openai.APIResponseValidationError() | json.JSONDecodeError() | UnicodeDecodeError():
            return ModelProtocolError()
        case openai.LengthFinishReasonError() | openai.ContentFilterFinishReasonError():
            return ModelRequestRejected(f"The provider cut the answer off: {error}. Another model may answer.")
        case openai.APIConnectionError() | httpx2.HTTPError() | OSError():
            reason = _cause(error)
            return ModelConnectionFailed(
                f"No connection to {url} ({reason}). Check OPENAI_BASE_URL and that the server runs."
            )
        case openai.APIError():
            return _answer_error(error)
        case _:
            return ModelUnavailable(f"The OpenAI client refused: {_short(str(error))}")


def _answer_error(error: openai.APIError) -> SoundstageError:
    """Our error for one that a provider reports in the middle of an answer."""
    text = _short(error.message)
    if _is_context(error):
        return ContextTooLong(f"The conversation is longer than the model's context: {text}")
    return ModelOverloaded(f"The provider reported an error in its answer: {text}. Run it again.")


def _is_context(error: openai.APIError) -> bool:
    return any(mark in f"{error.code} {error.message}".lower() for mark in CONTEXT_MARKS)


def status_error(error: openai.APIStatusError, model: str) -> SoundstageError:
    """Our error for an HTTP status."""
    text = _short(error.message)
    status = error.status_code
    if status in {401, 403}:
        return ModelAuthenticationFailed(
            f"The provider refused the API key (HTTP {status}). Set a valid OPENAI_API_KEY and run it again."
        )
    if status == 404:
        return UnknownModel(
            f"The provider does not know the model {model!r} (HTTP 404: {text}). Name another one with --model."
        )
    if status == 429 and "insufficient_quota" in f"{error.code} {error.message}":
        return ModelUnavailable("The account has no credit left (HTTP 429). Add credit, or use another key or model.")
    if status in {408, 409, 425, 429} or status >= 500:
        return ModelOverloaded(
            f"The provider is overloaded or limits the rate (HTTP {status}). Wait, or use another model with --model.",
            retry_after_s=_retry_after(error),
        )
    if _is_context(error):
        return ContextTooLong(f"The conversation is longer than the model's context: {text}")
    return ModelRequestRejected(f"The provider refused the request (HTTP {status}): {text}")


def _retry_after(error: openai.APIStatusError) -> float | None:
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(error.response.headers[name]) * scale)
        except (KeyError, ValueError):
            continue
    return None


def _cause(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return _short(str(error)) or type(error).__name__


def _short(text: str) -> str:
    return " ".join(text.split())[:MESSAGE_CHARACTERS]
