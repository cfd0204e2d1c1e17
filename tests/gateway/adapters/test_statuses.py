import pytest
from pydantic import SecretStr

from domain import errors
from domain.errors import SoundstageError
from gateway.adapters.statuses import MESSAGE_CHARACTERS, Service, retry_after
from gateway.base import Endpoint

PLAIN = Service(endpoint=Endpoint(name="p", base_url="http://127.0.0.1:1/v1"))
NAMED = PLAIN.model_copy(update={"key_variable": "P_API_KEY", "url_variable": "P_BASE_URL"})


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (400, "This model's maximum context length is 8192 tokens", errors.ContextTooLong),
        (400, "{'code': 'context_length_exceeded'}", errors.ContextTooLong),
        (400, "request (9000 tokens) exceeds the available context size (8192 tokens)", errors.ContextTooLong),
        (400, "Please reduce the length of the messages or completion.", errors.ContextTooLong),
        (400, "temperature is too high", errors.ModelRequestRejected),
        (401, "no", errors.ModelAuthenticationFailed),
        (400, "Spend limit reached (blocked_api_access)", errors.NoCredit),
        (402, "pay first", errors.NoCredit),
        (403, "no", errors.ModelAuthenticationFailed),
        (403, "Project `p` does not have access to model `m` (model_not_found)", errors.UnknownModel),
        (403, "The model `m` is blocked at the project level. (model_permission_blocked_project)", errors.UnknownModel),
        (403, "key not allowed to access model. (key_model_access_denied)", errors.UnknownModel),
        (403, "this model requires a subscription, upgrade for access", errors.UnknownModel),
        (404, "no", errors.UnknownModel),
        (408, "no", errors.ModelOverloaded),
        (413, "no", errors.ContextTooLong),
        (422, "no", errors.ModelRequestRejected),
        (429, "slow down", errors.RateLimited),
        (429, "{'code': 'insufficient_quota'}", errors.NoCredit),
        (429, "You have no credits left. (credit_balance_exhausted)", errors.NoCredit),
        (429, "Your account is not active, check your billing details. (billing_not_active)", errors.NoCredit),
        (429, "Limit 8000. Need more tokens? Upgrade at https://console.groq.com/settings/billing", errors.RateLimited),
        (500, "insufficient_quota of memory", errors.ModelOverloaded),
        (429, "Request too large on tokens per min (TPM): Limit 8000, Requested 9000", errors.ContextTooLong),
        (498, "Flex tier capacity exceeded", errors.ModelOverloaded),
        (500, "no", errors.ModelOverloaded),
        (500, "the request exceeds the available context size", errors.ContextTooLong),
        (502, "no", errors.ModelOverloaded),
        (503, "no", errors.ModelOverloaded),
        (529, "no", errors.ModelOverloaded),
    ],
)
def test_a_status_maps_to_what_the_user_or_the_retry_needs_to_know(
    code: int, text: str, expected: type[SoundstageError]
) -> None:
    assert type(PLAIN.status(code, text, {}, "m")) is expected


def test_a_listing_that_is_forbidden_is_a_matter_of_the_key_whatever_is_said_of_models() -> None:
    assert type(PLAIN.status(403, "(model_not_found)", {}, "")) is errors.ModelAuthenticationFailed


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
    assert retry_after(headers) == seconds


def test_a_message_is_one_short_line_whatever_the_provider_sends() -> None:
    for error in (PLAIN.status(400, "line\n" * 5000, {}, "m"), PLAIN.reported("line\n" * 5000)):
        assert "\n" not in str(error)
        assert len(str(error)) < 500


def test_a_message_names_the_variable_to_set_where_there_is_one() -> None:
    assert "P_API_KEY" in str(NAMED.status(401, "no", {}, "m"))
    assert "P_BASE_URL" in str(NAMED.unreachable(OSError("no")))
    assert "P_BASE_URL" in str(NAMED.malformed())
    for error in (PLAIN.status(401, "no", {}, "m"), PLAIN.unreachable(OSError("no")), PLAIN.malformed()):
        assert "  " not in str(error)
        assert "_" not in str(error)


@pytest.mark.parametrize(("key", "told"), [("s3cret-key", "no key [key] here"), ("none", "no key none here")])
def test_a_key_is_taken_out_of_a_message_but_a_word_that_stands_for_none_is_not(key: str, told: str) -> None:
    service = Service(endpoint=PLAIN.endpoint.model_copy(update={"api_key": SecretStr(key)}))
    text = f"no key {key} here"

    assert service.said(text) == told
    for error in (service.status(400, text, {}, "m"), service.reported(text), service.unreachable(OSError(text))):
        assert told in str(error)


def test_a_key_at_the_end_of_a_long_message_is_not_cut_in_two_before_it_is_taken_out() -> None:
    service = Service(endpoint=PLAIN.endpoint.model_copy(update={"api_key": SecretStr("s3cret-key")}))

    assert "s3cret" not in service.said("x" * (MESSAGE_CHARACTERS - 6) + "s3cret-key")
