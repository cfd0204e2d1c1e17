"""Plays random and adversarial calls over every tool for people, and checks what must hold after each of them."""

import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import mcp.types as types

from mcp_server.client import can_be_sent
from mcp_server.ide import IDE_TOOLS
from tests.app.test_task_desk import quick
from tests.mcp_server.fuzz_values import Draws
from tests.mcp_server.ide.front_desk import FrontDesk, open_desk

TOOLS = {tool.name: tool for tool in IDE_TOOLS}
RARE = {"run_task": 0.05}
"""How often tools that begin something are drawn, where others are drawn once."""


async def play(seed: int, numbers: Iterable[int]) -> Counter[str]:
    """Makes the calls of these numbers on a desk of its own; how often they ended how. AssertionError names the one
    that broke what must hold."""
    draws, ended = Draws(IDE_TOOLS, RARE, []), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        async with open_desk(Path(folder), quick()) as desk:
            task = (await desk.data("run_task", prompt="Write the module calc.", wait=True))["task_id"]
            patch = await desk.data("get_patch", task_id=task)
            for number in numbers:
                name, arguments = draws.call(seed, number)
                if number % 2 and "task_id" in arguments:
                    arguments["task_id"] = task
                if not can_be_sent({name: arguments}):
                    continue
                try:
                    ended[await _ended(desk, name, arguments)] += 1
                except Exception as error:  # any: it is raised on with the call that it came from
                    raise AssertionError(f"{error!r}\nseed {seed}, number {number}: {name} {arguments!r}") from error
            assert await desk.data("get_patch", task_id=task) == patch
    return ended


async def _ended(desk: FrontDesk, name: str, arguments: dict[str, Any]) -> str:
    """Makes one call; ``done`` or ``refused``."""
    result = await desk.client.call_tool(name, arguments)
    (block,) = result.content
    assert isinstance(block, types.TextContent)
    assert block.text.encode().decode() == block.text != ""
    if result.is_error:
        return "refused"
    tool = TOOLS[name]
    assert tool.data is not None
    tool.data.model_validate(result.structured_content)
    return "done"
