"""What an HTTP status means to us, and other faults between here and a provider, in words that name what to set."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property

from domain import errors
from domain.base import Value
from domain.errors import SoundstageError
from domain.redaction import Redactor
from domain.text import public_url
from gateway.base import Endpoint

MESSAGE_CHARACTERS = 300
REFUSED_KEY = {401, 403}
TOO_LARGE = 413
LIMITED = 429
BUSY = {408, 409, 425, 498}
NEVER_SENT = {
    *("ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol"),  # of either HTTP stack
    *("ConnectionRefusedError", "ConnectionError"),  # of the system
}
"""Names of exceptions before which nothing was sent."""

LATE = {"ReadTimeout", "WriteTimeout", "APITimeoutError", "TimeoutError"}
"""Names of exceptions that say of a request under way that it takes too long."""

CONTEXT_MARKS = (
    *("context_length_exceeded", "maximum context", "context size", "context length", "too many tokens"),
    *("request too large", "prompt is too long", "reduce the length"),
)

CREDIT_MARKS = (
    *("insufficient_quota", "credit_balance_exhausted", "billing_not_active", "billing_hard_limit_reached"),
    *("spend_limit_exceeded", "usage_limit_exceeded", "blocked_api_access"),
)
"""Codes, the last one Groq's, of an account that is empty or has spent what it may."""

MODEL_MARKS = (
    *("model_not_found", "have access to model", "model_permission_blocked"),  # of OpenAI and Groq
    *("allowed to access model", "model requires a subscription"),  # of LiteLLM and Ollama
)
"""What is said where a model is forbidden, and not the key."""


class Service(Value):
    """A provider as its errors speak of it. The variables are those of the environment that a person sets, if any."""

    endpoint: Endpoint
    key_variable: str = ""
    url_variable: str = ""

    @cached_property
    def _redactor(self) -> Redactor:
        return Redactor([self.endpoint.api_key])

    def said(self, text: str) -> str:
        """One short line of what a provider says, without the key, whoever put it there."""
        return " ".join(self._redactor.text(text).split())[:MESSAGE_CHARACTERS]

    def clean(self, error: Exception) -> None:
        """Takes the key out of an exception and of what it came from: some of it repeats the request."""
        self._redactor.error(error)

    def status(self, status: int, text: str, headers: Mapping[str, str], model: str) -> SoundstageError:
        """Our error for a status that is no success. ``text`` is what the provider says, its error code included."""
        said = self.said(text)
        if model and (status == 404 or (status == 403 and _says(text, MODEL_MARKS))):
            does = "does not know" if status == 404 else "does not let this key use"
            return errors.UnknownModel(
                f"The provider {does} the model {model!r} (HTTP {status}: {said}). Name another one with --model."
            )
        if status in REFUSED_KEY:
            remedy = f"Set a valid {self.key_variable}" if self.key_variable else "Check who may use it"
            return errors.ModelAuthenticationFailed(
                f"The provider refused the API key (HTTP {status}). {remedy} and run it again."
            )
        if status == 402 or (status in {400, LIMITED} and _says(text, CREDIT_MARKS)):
            return errors.NoCredit(
                f"The account has no credit left (HTTP {status}: {said}). Add credit, or use another key or model."
            )
        if status == 404:
            return self.malformed()
        if status == TOO_LARGE or _says(text, CONTEXT_MARKS):
            return errors.ContextTooLong(f"The conversation is longer than the model's context: {said}")
        if status == LIMITED or status in BUSY or status >= 500:
            kind, does = errors.ModelOverloaded, "is overloaded"
            if status == LIMITED:
                kind, does = errors.RateLimited, "limits the rate"
            advice = "Wait, or use another model with --model."
            return kind(f"The provider {does} (HTTP {status}). {advice}", retry_after_s=retry_after(headers))
        return errors.ModelRequestRejected(f"The provider refused the request (HTTP {status}): {said}")

    def reported(self, text: str) -> SoundstageError:
        """Our error for one that a provider reports in the middle of an answer."""
        if _says(text, CONTEXT_MARKS):
            return errors.ContextTooLong(f"The conversation is longer than the model's context: {self.said(text)}")
        return errors.ModelOverloaded(f"The provider reported an error in its answer: {self.said(text)}. Run it again.")

    def unreachable(self, error: BaseException) -> SoundstageError:
        """Our error for a connection that failed, broke later, or is silent; its first cause is the reason told."""
        names = {type(error).__name__}
        while error.__cause__ is not None:
            error = error.__cause__
            names.add(type(error).__name__)
        reason = self.said(str(error)) or type(error).__name__
        check = f"{self.url_variable} and that the server runs" if self.url_variable else "the network"
        if names & NEVER_SENT:
            return errors.ModelConnectionFailed(f"No connection to {self._place} ({reason}). Check {check}.")
        if names & LATE:
            return errors.ModelTimeout()
        return errors.ModelConnectionLost(f"The connection to {self._place} broke ({reason}). Check {check}.")

    def unsendable(self, error: Exception) -> errors.ModelRequestRejected:
        """Our error for a request that an SDK itself does not take."""
        return errors.ModelRequestRejected(f"The client does not take the request: {self.said(str(error))}")

    def malformed(self) -> errors.ModelProtocolError:
        """Our error for an answer of another shape than the protocol's."""
        check = f"Check that {self.url_variable} is the API's" if self.url_variable else "Run it again"
        return errors.ModelProtocolError(f"The answer of {self._place} is not what the protocol says. {check}.")

    @property
    def _place(self) -> str:
        return public_url(self.endpoint.base_url)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """ModelProtocolError where reading an answer fails, because it is of another shape."""
        try:
            yield
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise self.malformed() from error


def told(body: object, otherwise: str) -> str:
    """What the body of an error says, and its code, or its type; ``otherwise`` where it has no message."""
    found = body.get("error", body) if isinstance(body, dict) else None
    if not isinstance(found, dict):
        return otherwise
    message, code = found.get("message") or otherwise, found.get("code") or found.get("type")
    return f"{message} ({code})" if code else f"{message}"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds until the provider wants to be asked again, where its headers tell them as a number."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) * scale)
        except (KeyError, ValueError):
            continue
    return None


def _says(text: str, marks: Iterable[str]) -> bool:
    lowered = text.lower()
    return any(mark in lowered for mark in marks)
