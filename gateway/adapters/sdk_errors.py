"""Exceptions of the SDKs ``openai`` and ``groq`` in our words: one generator made both, so their names are the same."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from domain.errors import ModelTimeout, ModelUnavailable, SoundstageError
from gateway.adapters.statuses import Service, told


@contextmanager
def sdk_errors(sdk: Any, http: Any, service: Service, model: str) -> Iterator[None]:
    """Maps what the package ``sdk`` raises, and what its HTTP client, the package ``http``, raises through it."""
    base = sdk.APIError.__base__
    try:
        with service.cleaned():
            yield
    except (base, http.HTTPError, json.JSONDecodeError, UnicodeDecodeError, OSError) as error:
        raise _ours(error, sdk, http, service, model) from error


def _ours(error: Exception, sdk: Any, http: Any, service: Service, model: str) -> SoundstageError:
    match error:
        case sdk.APIStatusError():
            return service.status(error.status_code, told(error.body, error.message), error.response.headers, model)
        case sdk.APITimeoutError() | http.TimeoutException():
            return ModelTimeout()
        case sdk.APIResponseValidationError() | json.JSONDecodeError() | UnicodeDecodeError():
            return service.malformed()
        case sdk.APIConnectionError() | http.HTTPError() | OSError():
            return service.unreachable(error)
        case sdk.APIError():
            return service.reported(told(error.body, error.message))
        case _:
            return ModelUnavailable(f"The provider's client refused: {service.said(str(error))}")
