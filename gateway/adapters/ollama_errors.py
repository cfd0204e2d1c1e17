"""Exceptions of the ``ollama`` package in our words, and those that ``httpx`` raises through it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from domain.errors import ModelRequestRejected, ModelTimeout, SoundstageError, UnknownModel
from gateway.adapters.statuses import Service

NO_STATUS = -1
"""The status of an error that comes in the middle of an answer."""


@contextmanager
def ollama_errors(service: Service, model: str) -> Iterator[None]:
    """Maps whatever the SDK raises. ``model`` goes into the messages, the key never."""
    import httpx
    import ollama

    try:
        with service.cleaned():
            yield
    except httpx.TimeoutException as error:
        raise ModelTimeout from error
    except ollama.ResponseError as error:
        raise _refused(service, error, model) from error
    except (ollama.RequestError, UnicodeEncodeError) as error:
        raise ModelRequestRejected(f"The client does not take the request: {service.said(str(error))}") from error
    except (httpx.HTTPError, OSError) as error:
        # The SDK has a plain ConnectionError for a connection that was refused.
        raise service.unreachable(error) from error


def _refused(service: Service, error: Any, model: str) -> SoundstageError:
    said = str(error.error)
    if error.status_code == NO_STATUS:
        return service.reported(said)
    if error.status_code == 404 and model:
        return UnknownModel(
            f"Ollama does not have the model {model!r} ({service.said(said)}). "
            f"Get it with: ollama pull {model}, or name another one with --model."
        )
    # The SDK leaves the headers behind, in the exception that it came from.
    response = getattr(error.__context__, "response", None)
    return service.status(error.status_code, said, response.headers if response is not None else {}, model)
