"""Exceptions of the ``mistralai`` package in our words, and those that ``httpx2`` raises through it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError

from domain.errors import ModelRequestRejected, ModelTimeout, ModelUnavailable, SoundstageError
from gateway.adapters.statuses import Service

INVALID_MODEL = "invalid model"
"""What Mistral says of a model that it does not know, with the status 400."""


@contextmanager
def mistral_errors(service: Service, model: str) -> Iterator[None]:
    """Maps whatever the SDK raises. ``model`` goes into the messages, the key never."""
    import httpx2
    from mistralai.client import errors
    from mistralai.extra.exceptions import MistralClientException

    try:
        with service.cleaned():
            yield
    except httpx2.TimeoutException as error:
        raise ModelTimeout from error
    except (errors.ResponseValidationError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise service.malformed() from error
    except errors.MistralError as error:
        raise _refused(service, error, model) from error
    except (errors.NoResponseError, httpx2.HTTPError, OSError) as error:
        raise service.unreachable(error) from error
    except ValidationError as error:
        raise ModelRequestRejected(f"The client does not take the request: {service.said(str(error))}") from error
    except MistralClientException as error:
        raise ModelUnavailable(f"The provider's client refused: {service.said(str(error))}") from error


def _refused(service: Service, error: Any, model: str) -> SoundstageError:
    if error.status_code < 400:
        return service.malformed()
    unknown = error.status_code == 400 and INVALID_MODEL in error.body.lower()
    return service.status(404 if unknown else error.status_code, error.body, error.headers, model)
