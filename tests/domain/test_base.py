"""Values."""

from domain.chat import ToolSchema, UserMessage
from domain.tokens import estimate_messages


def test_a_copy_does_not_keep_what_was_worked_out_from_other_fields() -> None:
    said = UserMessage(content="a")
    assert said.sizes == (1,)
    longer = said.model_copy(update={"content": "a" * 3000})
    assert longer.sizes == (3000,)
    assert estimate_messages([longer]) == estimate_messages([UserMessage(content="a" * 3000)])
    schema = ToolSchema(name="a", description="b", parameters={})
    assert schema.model_copy(update={"description": "b" * 100}).size_bytes == schema.size_bytes + 99


def test_what_was_worked_out_makes_no_difference_between_equal_values() -> None:
    one, other = UserMessage(content="a"), UserMessage(content="a")
    assert one.sizes
    assert one == other
