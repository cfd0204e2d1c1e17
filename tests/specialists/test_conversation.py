"""The conversation of a specialist with its model."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.chat import (
    AssistantMessage,
    FinishReason,
    ModelReply,
    ModelRequest,
    SystemMessage,
    ToolCall,
    ToolMessage,
    ToolSchema,
    Usage,
    UserMessage,
)
from domain.replies import ReplyProblem
from domain.tokens import estimate_most
from gateway.sanitiser import sanitised
from mcp_server.client import Observation
from specialists.conversation import Conversation
from specialists.prompt import fill
from specialists.role_files import role
from tests.specialists.desk import TEXT_MODE, assignment_of

SCHEMA = ToolSchema(name="shell", description="runs", parameters={"type": "object"})
PROMPT = fill(role("code").prompt, "python")
ARGUMENTS = st.text(max_size=20) | st.sampled_from(
    ["", "{}", '{"a": NaN}', '{"a":', "[1]", "null", '{"command": "ls"}']
)
CALLS = st.lists(st.tuples(st.sampled_from(["shell", "nothing"]), ARGUMENTS), max_size=3)
CONTENTS = st.sampled_from(["", "I think.", "```sh\nls\n```", "SUBMIT: done", "```file path=a.py\nx\n```"])
STEPS = st.tuples(st.sampled_from(["reply", "reply", "reply", "text", "nudge"]), CONTENTS, CALLS)


def start(**assigned: Any) -> Conversation:
    return Conversation(role("code"), assignment_of(**assigned), (SCHEMA,))


def reply(content: str, calls: list[tuple[str, str]], step: int = 0) -> ModelReply:
    wanted = tuple(
        ToolCall(id=f"call_{step}_{at}", name=name, arguments=arguments) for at, (name, arguments) in enumerate(calls)
    )
    message = AssistantMessage(content=content, tool_calls=wanted)
    return ModelReply(message=message, usage=Usage(), finish_reason=FinishReason.STOP)


def strict(text: str) -> object:
    """JSON as the standard has it: without NaN and Infinity."""

    def refuse(name: str) -> None:
        raise ValueError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


def check_history(request: ModelRequest) -> None:
    """Every call has its result right after it, every result its call, and all arguments are JSON objects."""
    waiting: list[str] = []
    for message in request.messages:
        if isinstance(message, ToolMessage):
            assert message.tool_call_id == waiting.pop(0)
            continue
        assert not waiting
        if isinstance(message, AssistantMessage):
            assert message.content or message.tool_calls
            waiting = [call.id for call in message.tool_calls]
            assert all(isinstance(strict(call.arguments), dict) for call in message.tool_calls)
    assert not waiting


def observed(text: str) -> Observation:
    return Observation(text=text, ok=True, commit="c")


def play(conversation: Conversation, step: int, content: str, calls: list[tuple[str, str]]) -> None:
    reading = conversation.hear(reply(content, calls, step))
    if reading.actions:
        conversation.show([(action.call, observed("result")) for action in reading.actions])
    else:
        conversation.correct(reading.problem or ReplyProblem.NO_ACTION)


@given(st.lists(STEPS, max_size=8))
def test_the_history_that_is_sent_never_holds_a_call_without_its_result(
    steps: list[tuple[str, str, list[tuple[str, str]]]],
) -> None:
    conversation = start()
    for at, (kind, content, calls) in enumerate(steps):
        if kind == "text":
            conversation.use_text()
        elif kind == "nudge":
            conversation.nudge("Do something else.")
        else:
            play(conversation, at, content, calls)
        request = sanitised(conversation.request(), "openai")
        check_history(request)
        assert request.messages[0].role == "system"
        assert [message.role for message in request.messages].count("system") == 1
        assert request.messages[-1].role in {"user", "tool"}


def test_a_model_hears_its_role_and_its_brief_first() -> None:
    request = start().request()
    assert request.messages == (SystemMessage(content=PROMPT), UserMessage(content="Write calc.py."))
    assert "{" not in PROMPT
    assert request.tools == (SCHEMA,)
    assert request.max_output_tokens == role("code").max_output_tokens


def test_what_is_known_of_the_project_stands_between_role_and_brief_in_both_ways_of_acting() -> None:
    conversation = start(background="It is a shop.")
    expected = [UserMessage(content="It is a shop."), UserMessage(content="Write calc.py.")]
    assert list(conversation.request().messages[1:]) == expected
    conversation.use_text()
    assert list(conversation.request().messages[1:]) == expected


def test_a_context_that_is_too_short_loses_the_project_before_the_goal() -> None:
    goal = "Write calc.py." + " now" * 850
    request = start(context_tokens=4_096, background="shop " * 2_000, brief=goal).request()
    assert len(request.messages[1].content) < 300
    assert request.messages[2].content == goal


def test_a_model_without_tools_is_told_how_to_act_in_text_and_starts_afresh() -> None:
    conversation = start()
    play(conversation, 0, "What shall I do?", [])
    conversation.use_text()
    request = conversation.request()
    assert len(request.messages) == 2
    assert TEXT_MODE in request.messages[0].content
    assert request.messages[0].content.startswith(PROMPT)
    assert request.tools == ()


def test_actions_in_text_are_understood_also_of_a_model_that_could_call_tools() -> None:
    conversation = start()
    call = conversation.hear(reply("```python\nx = 1\n```", [])).actions[0].call
    assert call.name == "write_file"
    assert json.loads(call.arguments) == {"path": "calc.py", "content": "x = 1\n"}
    conversation.show([(call, observed("Created calc.py."))])
    assert conversation.request().messages[-1] == UserMessage(content="Result of write_file:\nCreated calc.py.")


def test_a_nudge_is_what_the_user_said_last() -> None:
    conversation = start()
    play(conversation, 0, "", [("shell", "{}")])
    conversation.nudge("Look again.")
    assert conversation.request().messages[-1] == UserMessage(content="Look again.")


def test_a_long_conversation_is_sent_within_the_context() -> None:
    conversation = start(context_tokens=10_500)
    for at in range(40):
        reading = conversation.hear(reply("", [("shell", '{"command": "ls"}')], at))
        conversation.show([(action.call, observed("x" * 1000)) for action in reading.actions])
        request = conversation.request()
        check_history(request)
        assert estimate_most(request).total_tokens <= 10_500
        assert request.messages[:2] == start().request().messages
        assert request.messages[-1].content == "x" * 1000


def test_a_third_of_a_short_context_is_left_for_the_answer() -> None:
    request = start(context_tokens=4_096, brief="x" * 40_000).request()
    assert request.max_output_tokens == 1_365
    assert estimate_most(request).total_tokens <= 4_096


def test_a_role_takes_no_more_of_a_long_context_than_its_data_says() -> None:
    thrifty, wide = role("code"), role("code").model_copy(update={"context_tokens": 1_000_000})
    long = "y" * 1_500_000
    for playing, whole in ((thrifty, False), (wide, True)):
        conversation = Conversation(playing, assignment_of(context_tokens=1_000_000), (SCHEMA,))
        conversation.hear(reply("", [("shell", "{}")]))
        conversation.show([(ToolCall(id="call_0_0", name="shell", arguments="{}"), observed(long))])
        assert (conversation.request().messages[-1].content == long) == whole


def test_what_was_done_is_told_when_the_model_goes_over_to_plain_text() -> None:
    conversation = start()
    play(conversation, 0, "", [("shell", '{"command": "ls src"}')])
    conversation.use_text()
    assert "shell ls src: result" in conversation.request().messages[-1].content


def test_rambling_is_cut_short_and_a_reply_with_an_action_is_not() -> None:
    conversation = start()
    conversation.hear(reply("la " * 10_000, []))
    assert len(conversation.request().messages[-1].content) < 1_100
    said = "```sh\nls\n```" + "la " * 10_000
    conversation.hear(reply(said, []))
    assert conversation.request().messages[-1].content == said
