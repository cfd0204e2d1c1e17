import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.chat import MOST_TOKENS, AssistantMessage, Message, SystemMessage, ToolMessage, Usage, UserMessage

USAGES = st.builds(Usage, **dict.fromkeys(set(Usage.model_fields) - {"estimated"}, st.integers(0, MOST_TOKENS)))


@pytest.mark.parametrize("name", sorted(set(Usage.model_fields) - {"estimated"}))
@pytest.mark.parametrize("tokens", [-1, 1.0, "1", True, None, MOST_TOKENS + 1])
def test_tokens_are_whole_numbers_that_a_call_could_take(name: str, tokens: object) -> None:
    with pytest.raises(ValidationError):
        Usage.model_validate({name: tokens})
    assert Usage.model_validate_json(f'{{"{name}": 1}}') == Usage.model_validate({name: 1})


@given(st.lists(USAGES))
def test_a_sum_of_usages_is_always_one(usages: list[Usage]) -> None:
    total = sum(usages, Usage())

    assert total.output_tokens == min(MOST_TOKENS, sum(usage.output_tokens for usage in usages))
    assert total.estimated == any(usage.estimated for usage in usages)
    assert Usage.model_validate(total.model_dump()) == total


@pytest.mark.parametrize(
    "message",
    [
        SystemMessage(content="long " * 100),
        UserMessage(content="long " * 100),
        AssistantMessage(content="long " * 100),
        ToolMessage(content="long " * 100, tool_call_id="a"),
    ],
    ids=lambda message: message.role,
)
def test_a_copy_with_another_text_is_measured_anew(message: Message) -> None:
    before = message.sizes
    assert message.model_copy(update={"content": "short"}).sizes[0] < before[0]
    assert message.sizes == before
