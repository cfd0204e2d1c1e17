"""The history sanitiser: whatever a conversation looks like, each provider receives what it accepts."""

import itertools
import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chat import (
    AssistantMessage,
    Image,
    Message,
    ModelRequest,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from domain.history import UNANSWERED, sanitise
from domain.text import well_formed
from gateway.adapters.openai_wire import to_wire
from gateway.sanitiser import RULES, rules_of, sanitised
from tests.wire.dialect import Dialect, Purpose
from tests.wire.groq_dialect import Groq
from tests.wire.mistral_dialect import Mistral
from tests.wire.ollama_dialect import Ollama
from tests.wire.openai_dialect import OpenAI

IDS = st.sampled_from(["a", "b", "call_1", "x" * 9, "x" * 41, "", "with space", "ü"]) | st.text(max_size=12)
TEXTS = st.sampled_from(["", " \n", "hello", "\ud800", "\0", "ä\udc00\0b", "\ud83d\ude00"]) | st.text(
    st.characters(), max_size=12
)
ARGUMENTS = st.sampled_from(
    ["{}", "", '{"a": 1}', '{"a": "\\u0000"}', '{"a": "\\\\u0000"}', '{"a": "\\ud800"}', '{"a": NaN}', "[1]", '{"a":']
) | st.text(max_size=12)
CALLS = st.builds(ToolCall, id=IDS, name=TEXTS | st.just("n" * 65), arguments=ARGUMENTS)
IMAGES = st.just(()) | st.just((Image(media_type="image/png", data="aGk="),))
MESSAGES: st.SearchStrategy[Message] = st.one_of(
    st.builds(SystemMessage, content=TEXTS),
    st.builds(UserMessage, content=TEXTS, images=IMAGES),
    st.builds(AssistantMessage, content=TEXTS, tool_calls=st.lists(CALLS, max_size=3).map(tuple)),
    st.builds(ToolMessage, tool_call_id=IDS, content=TEXTS),
)
CONVERSATIONS = st.lists(MESSAGES, max_size=10).map(tuple)
PROVIDERS = st.sampled_from(sorted(RULES))

JUDGES: dict[str, Dialect] = {
    "openai": OpenAI(),
    "groq": Groq(),
    "mistral": Mistral(),
    "ollama": Ollama(),
    "openai-compatible": OpenAI(),
}

CALL = ToolCall(id="call_1", name="shell", arguments='{"command": "ls"}')
ASKS = AssistantMessage(tool_calls=(CALL,))
RESULT = ToolMessage(tool_call_id="call_1", content="a.py")
GOOD = (SystemMessage(content="Be brief."), UserMessage(content="List it."), ASKS, RESULT)


def strict(text: str) -> object:
    """JSON as the standard has it: no NaN, no Infinity."""

    def refuse(name: str) -> None:
        raise ValueError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


def on_the_wire(messages: Sequence[Message], provider: str) -> dict[str, Any]:
    """The messages as the provider's API has them, and nothing mended on the way; they can be encoded."""
    wire = [to_wire(message) for message in messages]
    for message, said in zip(wire, messages, strict=True) if provider == "ollama" else ():
        message["content"] = said.content
        message.pop("tool_call_id", None)
        for call in message.get("tool_calls", ()):
            call["function"]["arguments"] = strict(call["function"]["arguments"])
    body = {"model": "m", "messages": wire}
    json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    return body


def fault_by(provider: str, messages: Sequence[Message]) -> str:
    """What the provider would say against the messages, or nothing."""
    fault = JUDGES[provider].fault(Purpose.CHAT, on_the_wire(messages, provider))
    turns = _turns_fault(messages) if provider in {"openai-compatible", "mistral"} else ""
    return fault or turns or _fault(messages)


def _turns_fault(messages: Sequence[Message]) -> str:
    """What a chat template raises that wants the roles to take turns, calls and results left aside."""
    asking = [isinstance(message, AssistantMessage) and bool(message.tool_calls) for message in messages]
    talk = [each.role for each, asks in zip(messages, asking, strict=True) if each.role != "tool" and not asks]
    again = [role for role, following in itertools.pairwise(talk) if role == following]
    return f"twice in a row: {again}" if again or messages[-1].role == "assistant" else ""


def _fault(messages: Sequence[Message]) -> str:
    """What no provider should have to bear."""
    roles = [message.role for message in messages]
    if roles[: roles.count("system") + 1] not in (["user"], ["system", "user"]):
        return f"it begins with {roles[:3]}"
    ids = [call.id for message in messages if isinstance(message, AssistantMessage) for call in message.tool_calls]
    if len(set(ids)) < len(ids) or not all(re.fullmatch(r"[A-Za-z0-9_-]{1,40}", each) for each in ids):
        return f"ids: {ids}"
    following: list[str] = []
    for message in messages:
        if isinstance(message, ToolMessage):
            if not following or message.tool_call_id != following.pop(0):
                return "the results are not in the order of their calls"
        elif isinstance(message, AssistantMessage):
            following = [call.id for call in message.tool_calls]
            if not all(isinstance(strict(call.arguments), dict) for call in message.tool_calls):
                return "arguments that are no JSON object"
        if not message.content.strip() and not (isinstance(message, AssistantMessage) and message.tool_calls):
            return f"an empty message of role {message.role}"
        if "\0" in message.content or well_formed(message.content) != message.content:
            return "text that cannot be sent"
    return ""


@given(CONVERSATIONS, PROVIDERS)
def test_any_interleaving_of_our_messages_is_accepted_by_each_provider(
    messages: tuple[Message, ...], provider: str
) -> None:
    assert fault_by(provider, sanitise(messages, rules_of(provider))) == ""


@given(CONVERSATIONS, PROVIDERS)
def test_a_sanitised_conversation_is_left_alone(messages: tuple[Message, ...], provider: str) -> None:
    once = sanitise(messages, rules_of(provider))
    assert sanitise(once, rules_of(provider)) is once


@given(CONVERSATIONS, PROVIDERS)
def test_what_users_said_and_showed_is_never_lost_and_stays_in_order(
    messages: tuple[Message, ...], provider: str
) -> None:
    users = [message for message in messages if isinstance(message, UserMessage)]
    kept = [message for message in sanitise(messages, rules_of(provider)) if isinstance(message, UserMessage)]
    heard = "\n\n".join(message.content for message in kept)
    at = 0
    for said in (well_formed(user.content).replace("\0", "").strip() for user in users):
        at = heard.index(said, at) + len(said)
    assert sum(len(user.images) for user in users) == sum(len(message.images) for message in kept)


@given(CONVERSATIONS, CONVERSATIONS, PROVIDERS)
def test_what_was_sent_stays_as_it_was_when_the_conversation_goes_on(
    before: tuple[Message, ...], after: tuple[Message, ...], provider: str
) -> None:
    rules = rules_of(provider)
    first = sanitise(before, rules)
    going_on = tuple(message for message in after if not isinstance(message, SystemMessage | ToolMessage))
    second = sanitise((*first, *going_on), rules)
    # The last message may grow where the same role goes on.
    assert second[: len(first) - 1] == first[:-1]


@pytest.mark.parametrize("provider", ["openai", "groq", "ollama", "openai-compatible", "never heard of"])
def test_a_conversation_that_is_right_is_the_same_object(provider: str) -> None:
    assert sanitise(GOOD, rules_of(provider)) is GOOD
    request = ModelRequest(model="m", messages=GOOD)
    assert sanitised(request, provider) is request


def test_mistral_gets_ids_of_nine_characters_the_same_ones_each_time() -> None:
    request = ModelRequest(model="m", messages=GOOD)
    made = sanitised(request, "mistral")
    asks, result = made.messages[2:]
    assert isinstance(asks, AssistantMessage)
    assert isinstance(result, ToolMessage)
    assert re.fullmatch(r"[a-zA-Z0-9]{9}", asks.tool_calls[0].id)
    assert result.tool_call_id == asks.tool_calls[0].id
    assert sanitised(request, "mistral") == made


def test_mistral_hears_the_model_speak_between_a_result_and_the_user() -> None:
    made = sanitise((*GOOD, UserMessage(content="Look again.")), rules_of("mistral"))
    assert [message.role for message in made] == ["system", "user", "assistant", "tool", "assistant", "user"]


def test_an_id_that_comes_again_is_renamed_together_with_its_result() -> None:
    again = ToolMessage(tool_call_id="call_1", content="b.py")
    made = sanitise((*GOOD, ASKS, again), rules_of("openai"))
    assert made[:4] == GOOD
    asks, result = made[4:]
    assert isinstance(asks, AssistantMessage)
    assert result == ToolMessage(tool_call_id=asks.tool_calls[0].id, content="b.py")
    assert asks.tool_calls[0].id != "call_1"


def test_two_calls_of_one_id_in_a_reply_get_their_results_in_order() -> None:
    other = ToolCall(id="call_1", name="read", arguments="{}")
    asks = AssistantMessage(tool_calls=(CALL, other))
    made = sanitise((*GOOD[:2], asks, RESULT, ToolMessage(tool_call_id="call_1", content="text")), rules_of("openai"))
    assert [message.content for message in made[3:]] == ["a.py", "text"]
    assert fault_by("openai", made) == ""


def test_a_call_without_a_result_gets_one_that_says_so() -> None:
    made = sanitise((*GOOD[:3], UserMessage(content="Go on.")), rules_of("openai"))
    assert made[3] == ToolMessage(tool_call_id="call_1", content=UNANSWERED)
    assert sanitise(GOOD[:3], rules_of("openai")) == (*GOOD[:3], made[3])


def test_a_result_belongs_to_the_newest_call_of_its_id() -> None:
    made = sanitise((*GOOD[:3], UserMessage(content="Again."), ASKS, RESULT), rules_of("openai"))
    assert [message.content for message in made if isinstance(message, ToolMessage)] == [UNANSWERED, "a.py"]


def test_a_result_that_nobody_asked_for_is_dropped_and_so_is_a_second_one() -> None:
    stray = ToolMessage(tool_call_id="other", content="?")
    assert sanitise((*GOOD[:2], stray, *GOOD[2:], RESULT, stray), rules_of("openai")) == GOOD


def test_a_result_that_came_late_is_put_behind_its_call() -> None:
    said = UserMessage(content="Hurry.")
    assert sanitise((*GOOD[:3], said, RESULT), rules_of("openai")) == (*GOOD, said)


def test_system_prompts_are_put_first_as_one() -> None:
    late = SystemMessage(content="And be kind.")
    made = sanitise((*GOOD, late), rules_of("openai"))
    assert made == (SystemMessage(content="Be brief.\n\nAnd be kind."), *GOOD[1:])


def test_a_name_that_no_provider_takes_is_made_one() -> None:
    named = AssistantMessage(tool_calls=(ToolCall(id="c", name="files.write ü", arguments="{}"),))
    (asks,) = [message for message in sanitise((named,), rules_of("openai")) if isinstance(message, AssistantMessage)]
    assert asks.tool_calls[0].name == "files_write__"


def test_arguments_that_are_no_object_are_sent_as_an_empty_one() -> None:
    broken = AssistantMessage(tool_calls=(ToolCall(id="c", name="write", arguments='{"path": "a.py",'),))
    (asks,) = [message for message in sanitise((broken,), rules_of("openai")) if isinstance(message, AssistantMessage)]
    assert asks.tool_calls[0].arguments == "{}"
