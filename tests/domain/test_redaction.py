import base64
import contextlib
import json
import traceback
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from domain.chat import AssistantMessage, Image, Message, ModelRequest, SystemMessage, ToolCall, ToolMessage, ToolSchema
from domain.chat import UserMessage as Said
from domain.redaction import LONGEST_REMEMBERED, MARK, REMEMBERED, Redactor
from domain.secrets import SHORTEST_SECRET

CANARY = "sk-fake/canary+0123\"456\\789=abcdef'"
SECRETS = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=","), min_size=8, max_size=60
)


def redactor(*secrets: str) -> Redactor:
    return Redactor([SecretStr(secret) for secret in secrets])


def encodings(secret: str, before: str = "", after: str = "") -> dict[str, str]:
    """The secret with something around it, as programs write it."""
    whole = f"{before}{secret}{after}"
    return {
        "exact": whole,
        "base64": base64.b64encode(whole.encode()).decode(),
        "base64 for URLs": base64.urlsafe_b64encode(whole.encode()).decode(),
        "URL": urllib.parse.quote(whole, safe=""),
        "path of a URL": urllib.parse.quote(whole),
        "form": urllib.parse.quote_plus(whole),
        "JSON": json.dumps(whole),
        "JSON of JavaScript": json.dumps(whole).replace("/", "\\/"),
    }


def decodings(text: str) -> list[str]:
    """What somebody could read out of a text."""
    found = [text, urllib.parse.unquote(text), urllib.parse.unquote_plus(text)]
    with contextlib.suppress(json.JSONDecodeError):
        found.append(str(json.loads(text)))
    for start in range(4):
        for table in ("+/", "-_"):
            letters = "".join(c for c in text[start:] if c.isascii() and (c.isalnum() or c in table))
            whole = letters[: len(letters) // 4 * 4].encode()
            found.append(base64.b64decode(whole, altchars=table.encode()).decode("latin-1"))
    return found


@given(SECRETS, st.text(max_size=20), st.text(max_size=20), st.sampled_from(sorted(encodings("x"))))
def test_property_nothing_of_an_encoded_secret_can_be_decoded_from_what_is_left(
    secret: str, before: str, after: str, encoding: str
) -> None:
    left = redactor(secret).text(encodings(secret, before, after)[encoding])
    if secret in before + after:
        return
    for read in decodings(left):
        assert secret not in read


@given(SECRETS, st.text(max_size=30), st.text(max_size=30))
def test_property_what_stands_around_an_exact_secret_stays(secret: str, before: str, after: str) -> None:
    plain = redactor(secret)
    if any(plain.text(text) != text for text in (before, after, f"{before}{MARK}{after}")):
        return
    text = f"{before}{secret}{after}"
    if text.count(secret) == 1 and text.find(secret) == len(before):
        assert plain.text(text).count(MARK) >= 1
        assert plain.text(f"{before}\n\n{secret}\n\n{after}") == f"{before}\n\n{MARK}\n\n{after}"


@given(st.lists(SECRETS, min_size=1, max_size=4), st.data())
def test_property_no_secret_is_left_whatever_is_joined_and_again_changes_nothing(
    secrets: list[str], data: st.DataObject
) -> None:
    pieces = st.sampled_from([*secrets, *(secret[:5] for secret in secrets), *(s[3:] for s in secrets), MARK, "] ["])
    text = "".join(data.draw(st.lists(pieces, max_size=8)))
    cleaned = redactor(*secrets).text(text)
    assert not [secret for secret in secrets if secret in cleaned]
    assert redactor(*secrets).text(cleaned) == cleaned


@given(st.text())
def test_property_a_text_without_secrets_stays_the_same_object(text: str) -> None:
    assert redactor("sk-fake-canary-that-no-generator-writes").text(text) is text


def test_a_percent_code_in_small_letters_is_known_too() -> None:
    small = urllib.parse.quote(CANARY, safe="").lower()
    assert "%2b" in small
    assert redactor(CANARY).text(f"key={small}") == f"key={MARK}"


def test_a_key_in_basic_authentication_is_found() -> None:
    for user in ("", "u", "us", "use"):
        header = base64.b64encode(f"{user}:{CANARY}".encode()).decode()
        left = redactor(CANARY).text(f"Basic {header}")
        assert MARK in left
        assert len(left) < len("Basic ") + len(MARK) + 12


@pytest.mark.parametrize("word", ["", "none", "EMPTY", "x" * (SHORTEST_SECRET - 1)])
def test_what_is_too_short_to_be_a_secret_spoils_no_text(word: str) -> None:
    text = f"there is none, EMPTY, {word}, and nothing else"
    assert redactor(word).text(text) is text


def test_a_mark_and_what_stands_beside_it_spell_no_other_secret() -> None:
    assert redactor("12345678", f"{MARK}tail").text("12345678tail") == MARK


def test_a_secret_that_contains_another_goes_whole() -> None:
    assert redactor("12345678", "1234567890").text("<1234567890>") == f"<{MARK}>"


def request(text: str) -> ModelRequest:
    return ModelRequest(
        model="m",
        messages=(
            SystemMessage(content=f"s {text}"),
            Said(content=f"u {text}", images=(Image(media_type="image/png", data="aGVsbG8="),)),
            AssistantMessage(content=text, tool_calls=(ToolCall(id="1", name="t", arguments=json.dumps({"a": text})),)),
            ToolMessage(tool_call_id="1", content=f"echo {base64.b64encode(text.encode()).decode()}"),
        ),
        tools=(ToolSchema(name="t", description=text, parameters={"enum": [text], text: {"nested": [1, text]}}),),
        json_schema={"title": text},
    )


def test_a_request_loses_its_secrets_wherever_they_stand_and_nothing_else() -> None:
    cleaned = redactor(CANARY).request(request(CANARY))
    assert not [form for form in encodings(CANARY).values() if form in cleaned.model_dump_json()]
    assert "sk-fake" not in repr(cleaned)
    expected = request(MARK)
    assert cleaned.messages[:3] == expected.messages[:3]
    assert (cleaned.tools, cleaned.json_schema) == (expected.tools, expected.json_schema)


def test_a_request_without_secrets_is_handed_on_as_it_is() -> None:
    clean = request("nothing to hide")
    assert redactor(CANARY).request(clean) is clean


SAYINGS = st.sampled_from(["nothing to hide", CANARY, f"a {CANARY} b", "x" * (LONGEST_REMEMBERED + 1)])
MESSAGES = st.one_of(
    st.builds(SystemMessage, content=SAYINGS),
    st.builds(Said, content=SAYINGS, images=st.sampled_from([(), (Image(media_type="image/png", data=CANARY),)])),
    st.builds(
        AssistantMessage,
        content=SAYINGS,
        tool_calls=st.lists(st.builds(ToolCall, id=SAYINGS, name=SAYINGS, arguments=SAYINGS), max_size=1).map(tuple),
    ),
    st.builds(ToolMessage, tool_call_id=SAYINGS, content=SAYINGS),
)
TOOLS = st.builds(
    ToolSchema, name=SAYINGS, description=SAYINGS, parameters=st.dictionaries(SAYINGS, SAYINGS, max_size=2)
)


@given(st.lists(MESSAGES, max_size=6), st.lists(st.tuples(st.integers(0, 6), st.lists(TOOLS, max_size=2)), max_size=4))
def test_property_what_was_sent_before_is_cleaned_as_if_it_came_for_the_first_time(
    messages: list[Message], sends: list[tuple[int, list[ToolSchema]]]
) -> None:
    again = redactor(CANARY)
    for end, tools in sends:
        sent = ModelRequest(model="m", messages=tuple(messages[:end]), tools=tuple(tools))
        cleaned = again.request(sent)
        assert cleaned == redactor(CANARY).request(sent)
        assert CANARY not in repr(cleaned)
        assert (cleaned is sent) == (cleaned == sent)


def test_what_is_remembered_is_bounded() -> None:
    again = redactor(CANARY)
    said = ["x" * (LONGEST_REMEMBERED + 1), *(f"{number}" for number in range(2 * REMEMBERED))]
    again.request(ModelRequest(model="m", messages=tuple(Said(content=text) for text in said)))
    assert again._message.cache_info().misses == 2 * REMEMBERED
    assert again._message.cache_info().currsize == REMEMBERED


class Sdk(Exception):
    """An error as SDKs make them."""

    def __init__(self, message: str) -> None:
        super().__init__(message, {"error": [message]})
        self.message = message
        self.body = {"error": {"message": message}}


def test_an_error_and_all_that_it_came_from_lose_their_secrets_and_keep_their_kinds() -> None:
    try:
        try:
            try:
                raise OSError(f"first {CANARY}")
            except OSError as cause:
                raise Sdk(f"second {CANARY}") from cause
        except Sdk:
            raise ValueError(f"third {CANARY}")  # noqa: B904 - the context is what is looked at
    except ValueError as error:
        redactor(CANARY).error(error)
        shown = "".join(traceback.format_exception(error))
        sdk = error.__context__
    assert "sk-fake" not in shown
    assert all(f"{which} {MARK}" in shown for which in ("first", "second", "third"))
    assert isinstance(sdk, Sdk)
    assert (sdk.message, sdk.body) == (f"second {MARK}", {"error": {"message": f"second {MARK}"}})


def test_the_members_of_a_group_and_all_that_they_came_from_lose_their_secrets() -> None:
    cause, context = OSError(f"cause {CANARY}"), OSError(f"context {CANARY}")
    member = Sdk(f"member {CANARY}")
    member.__cause__, member.__context__ = cause, context
    member.add_note(f"note {CANARY}")
    inner = ExceptionGroup("inner", [member, ValueError(f"other {CANARY}")])
    outer = RuntimeError("outer")
    outer.__cause__ = BaseExceptionGroup("some", [inner, KeyboardInterrupt(f"stop {CANARY}")])
    redactor(CANARY).error(outer)
    shown = "".join(traceback.format_exception(outer)) + repr(context)
    assert "sk-fake" not in shown
    named = ("cause", "context", "member", "note", "other", "stop")
    assert all(f"{which} {MARK}" in shown for which in named)


def test_errors_that_came_from_each_other_come_to_an_end() -> None:
    first, second = ValueError(CANARY), ValueError(CANARY)
    first.__context__, second.__context__ = second, first
    redactor(CANARY).error(first)
    redactor(CANARY).error(None)
    assert str(second) == MARK


def test_the_secrets_do_not_show_in_the_redactors_own_text() -> None:
    assert "sk-fake" not in repr(redactor(CANARY))


def test_every_part_of_a_request_that_may_hold_text_is_looked_through() -> None:
    schema = {"title": CANARY, "properties": {CANARY: {"enum": [CANARY]}}}
    request = ModelRequest(
        model=f"m-{CANARY}", messages=(Said(content=CANARY),), json_schema=schema,
        tools=(ToolSchema(name="t", description=CANARY, parameters=schema),),
    )  # fmt: skip

    cleaned = Redactor([SecretStr(CANARY)]).request(request)

    assert set(ModelRequest.model_fields) == {
        "model", "messages", "tools", "json_schema", "max_output_tokens", "temperature",
    }  # fmt: skip
    assert CANARY not in repr(cleaned)
    assert json.dumps(CANARY)[1:-1] not in cleaned.model_dump_json()
    assert (cleaned.model, cleaned.json_schema) == (
        f"m-{MARK}", {"title": MARK, "properties": {MARK: {"enum": [MARK]}}},
    )  # fmt: skip
