"""Who a client is taken for."""

from pathlib import Path

import mcp.types as types
import pytest
from mcp.client import Client

from mcp_server.ide.callers import person_here
from mcp_server.ide.server import build_ide_server
from mcp_server.ide.session import IdeSession
from mcp_server.ide.updates import Context
from tests.app.test_task_desk import quick
from tests.director.stage import open_stage


@pytest.mark.parametrize("name", ["the person at the terminal", "key 1234 (ann)", ""])
async def test_a_client_that_calls_itself_somebody_else_is_a_client_still(name: str, tmp_path: Path) -> None:
    actors: list[str] = []
    async with open_stage(tmp_path, quick()) as stage:

        def sessions(context: Context) -> IdeSession:
            caller = person_here(context)
            actors.append(caller.actor)
            return IdeSession(caller, stage.product.tasks)

        server = build_ide_server(sessions, stage.product.dispatcher)
        async with Client(server, client_info=types.Implementation(name=name, version="1")) as client:
            await client.list_tools()
    assert set(actors) == {f"client {name}".strip()}
