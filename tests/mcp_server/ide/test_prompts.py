"""Prompts that people choose in their IDE."""

from pathlib import Path
from typing import Any

import mcp.types as types
import pytest
from mcp.shared.exceptions import MCPError

from mcp_server.ide import IDE_TOOLS
from mcp_server.ide.prompts import MOST_ARGUMENT, PLACE, RECIPES
from tests.app.test_task_desk import quick
from tests.director.stage import open_stage
from tests.mcp_server.ide.front_desk import ERAS, FrontDesk, connected, open_desk, who


async def prompt(desk: FrontDesk, name: str, **arguments: str) -> str:
    result = await desk.client.get_prompt(name, arguments)
    (message,) = result.messages
    assert message.role == "user"
    assert isinstance(message.content, types.TextContent)
    return message.content.text


@pytest.mark.parametrize("era", ERAS)
async def test_prompts_are_listed_with_their_arguments(era: str, tmp_path: Path) -> None:
    async with open_desk(tmp_path, quick(), era) as desk:
        listed = (await desk.client.list_prompts()).prompts
        assert {one.name: [argument.name for argument in one.arguments or ()] for one in listed} == {
            "fix-failing-test": ["test", "output", "folder"],
            "add-tests": ["target", "behaviour", "folder"],
            "review-diff": ["task_id", "diff", "focus"],
        }


async def test_every_place_is_filled_and_every_tool_that_is_named_is_there(tmp_path: Path) -> None:
    async with open_desk(tmp_path, quick()) as desk:
        for recipe in RECIPES:
            given = {one.name: "given" for one in recipe.arguments if one.name != "task_id"}
            text = await prompt(desk, recipe.name, **given)
            assert not PLACE.search(text)
            assert text.count("given") >= len(given)
            named = {word.strip("`") for word in text.split() if word.startswith("`get_") or word.startswith("`run_")}
            assert {name.rstrip("`.,") for name in named} <= {tool.name for tool in IDE_TOOLS}


async def test_what_is_left_out_has_words_in_its_place(tmp_path: Path) -> None:
    async with open_desk(tmp_path, quick()) as desk:
        text = await prompt(desk, "fix-failing-test", test="tests/test_a.py::test_b", output=" ")
        assert "The test `tests/test_a.py::test_b` fails." in text
        assert "(Run the test first, and read it.)" in text


async def test_what_an_argument_holds_is_never_a_place_for_another(tmp_path: Path) -> None:
    async with open_desk(tmp_path, quick()) as desk:
        text = await prompt(desk, "fix-failing-test", test="{folder}", output="{test} \\1 {nothing}", folder="/here")
        assert "The test `{folder}` fails." in text
        assert "{test} \\1 {nothing}" in text
        huge = await prompt(desk, "fix-failing-test", test="t", output="x" * (2 * MOST_ARGUMENT))
        assert len(huge) < MOST_ARGUMENT + 5000


async def test_the_change_of_a_task_is_reviewed_by_its_owner_alone(tmp_path: Path) -> None:
    async with open_stage(tmp_path, quick()) as stage:
        async with connected(stage.product) as desk:
            task_id = (await desk.data("run_task", prompt="Write it.", wait=True))["task_id"]
            assert "+    return a + b" in await prompt(desk, "review-diff", task_id=task_id)
        for caller in (who("bob"), who(permissions=frozenset())):
            async with connected(stage.product, caller=caller) as desk:
                with pytest.raises(MCPError, match=f"There is no task '{task_id}'"):
                    await prompt(desk, "review-diff", task_id=task_id)


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("nothing", {}, "no such prompt"),
    ("", {}, "no such prompt"),
    ("../server", {}, "no such prompt"),
    ("fix-failing-test", {}, "needs test"),
    ("fix-failing-test", {"test": "  "}, "needs test"),
    ("add-tests", {"target": "a", "surprise": "b"}, "takes no 'surprise'"),
    ("review-diff", {}, "needs either a task_id or a diff"),
    ("review-diff", {"diff": "a", "task_id": "b"}, "needs either a task_id or a diff"),
    ("review-diff", {"task_id": "0" * 12}, "There is no task"),
]


@pytest.mark.parametrize("era", ERAS)
async def test_what_is_wrong_with_a_request_is_said(era: str, tmp_path: Path) -> None:
    async with open_desk(tmp_path, quick(), era) as desk:
        for name, arguments, message in WRONG:
            with pytest.raises(MCPError, match=message) as error:
                await prompt(desk, name, **arguments)
            assert error.value.code == types.INVALID_PARAMS
