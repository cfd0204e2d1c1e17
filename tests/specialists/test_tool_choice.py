"""Which tools a model is offered where its context is small."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chat import ToolSchema
from domain.events import NoticeGiven, PlainTextChosen
from domain.replies import PlainTextReason
from domain.subtask_result import Submitted
from domain.tokens import estimate_most, estimate_tools
from specialists.tool_choice import SHARE, Offer, choose
from tests.mcp_server.place import open_place
from tests.specialists.desk import call, open_desk, script

FILE = "```file path=calc.py\nx = 1\n```"
SUBMIT = call("submit", summary="all done")


async def schemas(folder: Path) -> tuple[ToolSchema, ...]:
    async with open_place(folder) as place:
        return await place.client.schemas()


async def test_the_fullest_offer_that_takes_a_quarter_of_the_context_is_made(tmp_path: Path) -> None:
    tools = await schemas(tmp_path)
    offers = {room: choose(tools, room) for room in (60_000, 9_000, 4_096, 1_500)}
    assert [offered.offer for offered in offers.values()] == [Offer.ALL, Offer.TERSE, Offer.FEWER, Offer.NONE]
    assert all(estimate_tools(offered.tools) <= room // SHARE for room, offered in offers.items())
    assert offers[60_000].tools == tools
    assert len(offers[9_000].tools) == len(tools)
    assert {"shell", "write_file", "submit"} <= {tool.name for tool in offers[4_096].tools}


async def test_a_terse_tool_keeps_the_names_types_and_needs_of_its_arguments(tmp_path: Path) -> None:
    full = {tool.name: tool for tool in await schemas(tmp_path)}
    for terse in choose(tuple(full.values()), 9_000).tools:
        before: Any = full[terse.name].parameters
        after: Any = terse.parameters
        assert set(after["properties"]) == set(before["properties"])
        assert after.get("required") == before.get("required")
        for name, part in after["properties"].items():
            assert part.get("type") == before["properties"][name].get("type")
            assert "description" not in part


@given(st.integers(1, 100_000), st.lists(st.text(max_size=300), max_size=20))
def test_no_offer_takes_more_than_its_share(room: int, descriptions: list[str]) -> None:
    tools = [ToolSchema(name=f"t{at}", description=text, parameters={}) for at, text in enumerate(descriptions)]
    assert estimate_tools(choose(tools, room).tools) <= room // SHARE


async def test_work_is_done_in_a_context_of_4096_tokens_all_told(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        wordy = [call("write_file", path=f"m{at}.py", content=f"x = {at}\n" * 200) for at in range(12)]
        model = script(*wordy, SUBMIT)
        # A script counts the replies that it sees, and old ones are left out: it goes on until the steps are up.
        result = await desk.work(model, context_tokens=4_096, brief="Write modules. " * 40, max_steps=15)
        assert len(model.requests) >= 12
        assert max(estimate_most(request).total_tokens for request in model.requests) <= 4_096
        assert all("Write modules." in request.messages[1].content for request in model.requests)
        assert len(await desk.place.workspace.files(result.commit)) >= 5
        (notice,) = await desk.facts(NoticeGiven)
        assert "are offered, described in short" in notice.text


async def test_where_no_tool_has_room_the_model_acts_in_plain_text_and_it_is_told(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        model = script(SUBMIT, text=(FILE, "SUBMIT: written"))
        assert isinstance(await desk.work(model, context_tokens=2_048), Submitted)
        assert [fact.reason for fact in await desk.facts(PlainTextChosen)] == [PlainTextReason.CONTEXT]
        assert not any(request.tools for request in model.requests)


@pytest.mark.parametrize("context_tokens", [2_048, 4_096, 8_192, 16_384])
async def test_the_first_request_leaves_room_for_the_answer_in_every_context(
    context_tokens: int, tmp_path: Path
) -> None:
    async with open_desk(tmp_path) as desk:
        model = script(SUBMIT, text=("SUBMIT: done",))
        await desk.work(model, context_tokens=context_tokens, brief="Do it. " * 5_000, background="shop " * 3_000)
        assert estimate_most(model.requests[0]).total_tokens <= context_tokens
