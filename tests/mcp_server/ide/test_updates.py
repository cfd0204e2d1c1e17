"""Clients hear of what changes: tasks that they subscribed to, and the list of tools."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import mcp.types as types
import pytest
from mcp.client import Client
from mcp.client.subscriptions import ResourceUpdated, ToolsListChanged
from mcp.shared.exceptions import MCPError
from pydantic import BaseModel

from domain.events import SnapshotMade
from domain.task_service import TaskOrder
from mcp_server.caller import Permission
from mcp_server.ide import IDE_TOOLS
from mcp_server.ide.server import build_ide_server
from mcp_server.ide.session import IdeSession
from mcp_server.ide.updates import MOST_WATCHED, MOST_WATCHED_BY_OWNER
from mcp_server.registry import Registry
from mcp_server.tool import Tool, ToolOutcome
from tests.app.test_task_desk import quick, slow, when
from tests.director.stage import open_stage
from tests.mcp_server.ide.front_desk import ERAS, FrontDesk, connected, open_desk, who

PROMPT = "Write the module calc."


class Nothing(BaseModel):
    pass


async def _nothing(_session: IdeSession, _arguments: Nothing) -> ToolOutcome:
    return ToolOutcome(text="nothing")


def extra(name: str) -> Tool[IdeSession, Nothing]:
    """A tool that comes and goes."""
    return Tool(
        name=name, description="does nothing", session=IdeSession, arguments=Nothing, permission=Permission.SEE_TASKS,
        handler=_nothing, example={},
    )  # fmt: skip


def registry_of(desk: FrontDesk) -> Registry:
    return desk.product.dispatcher.registry


async def heard(desk: FrontDesk, kind: type[Any], count: int = 1) -> list[Any]:
    """The notifications of a kind, as soon as there are so many."""
    async with asyncio.timeout(60):
        while True:
            found = [one for one in desk.notified if isinstance(one, kind)]
            if len(found) >= count:
                return found
            await desk.client.list_prompts()


async def test_in_a_handshake_a_client_hears_of_new_tools_and_of_several_at_once_only_once(tmp_path: Path) -> None:
    async with open_desk(tmp_path, quick(), "legacy") as desk:
        await desk.client.list_tools()
        registry_of(desk).register(extra("one"), extra("two"))
        registry_of(desk).remove("two")
        await heard(desk, types.ToolListChangedNotification)
        names = {tool.name for tool in (await desk.client.list_tools()).tools}
        assert names == {"one", *(tool.name for tool in IDE_TOOLS)}
        assert not (await desk.call("one")).is_error
        assert len(await heard(desk, types.ToolListChangedNotification)) == 1
        registry = registry_of(desk)
        assert len(registry._listeners) == 1
    assert registry._listeners == []


@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
async def test_in_a_handshake_a_client_hears_of_the_tasks_that_it_subscribed_to(tmp_path: Path) -> None:
    async with open_desk(tmp_path, slow(), "legacy") as desk:
        task_id = (await desk.data("run_task", prompt=PROMPT))["task_id"]
        uri = f"task://{task_id}"
        await desk.client.subscribe_resource(uri)
        await desk.client.subscribe_resource(uri)
        await when(desk.product, task_id, SnapshotMade)
        await desk.data("cancel_task", task_id=task_id)
        updates = await heard(desk, types.ResourceUpdatedNotification)
        assert {update.params.uri for update in updates} == {uri}
        await desk.client.unsubscribe_resource(uri)
        await desk.client.unsubscribe_resource("task://another")


@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
async def test_who_unsubscribed_hears_nothing_more(tmp_path: Path) -> None:
    async with open_desk(tmp_path, slow(), "legacy") as desk:
        task_id = (await desk.data("run_task", prompt=PROMPT))["task_id"]
        await when(desk.product, task_id, SnapshotMade)
        await desk.client.subscribe_resource(f"task://{task_id}")
        await desk.client.subscribe_resource(f"task://{task_id}/patch")
        await desk.client.unsubscribe_resource(f"task://{task_id}")
        await desk.data("cancel_task", task_id=task_id)
        updates = await heard(desk, types.ResourceUpdatedNotification)
        assert {update.params.uri for update in updates} == {f"task://{task_id}/patch"}


@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
async def test_a_subscription_needs_a_task_of_ones_own_and_there_are_only_so_many(tmp_path: Path) -> None:
    async with open_stage(tmp_path, slow()) as stage:
        async with connected(stage.product, "legacy", who("ann")) as desk:
            task_id = (await desk.data("run_task", prompt=PROMPT))["task_id"]
            for number in range(MOST_WATCHED):
                await desk.client.subscribe_resource(f"task://{task_id}/artifacts/{number}")
            with pytest.raises(MCPError, match="16 resources at most"):
                await desk.client.subscribe_resource(f"task://{task_id}")
        async with connected(stage.product, "legacy", who("bob")) as desk:
            for uri in (f"task://{task_id}", "task://none", "file:///etc/passwd", "", f"task://{task_id}/nothing"):
                with pytest.raises(MCPError, match="Resource not found"):
                    await desk.client.subscribe_resource(uri)


@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
async def test_whoever_subscribes_and_begins_again_and_again_leaves_nothing_behind(tmp_path: Path) -> None:
    async with open_desk(tmp_path, slow(), "legacy") as desk:
        task_id = (await desk.data("run_task", prompt=PROMPT))["task_id"]
        uri = f"task://{task_id}"
        await desk.client.subscribe_resource(uri)
        kept: Any = desk.contexts[-1].session._connection.exit_stack
        before = len(kept._exit_callbacks)
        for _ in range(5):
            await desk.client.session.send_notification(types.InitializedNotification())
            await desk.client.unsubscribe_resource(uri)
            await desk.client.subscribe_resource(f"{uri}/events?after=3")
            await desk.client.unsubscribe_resource(f"{uri}/events")
        assert len(kept._exit_callbacks) == before
        assert len(registry_of(desk)._listeners) == 1
        await desk.product.store.ledger.spending("x")
        entries = [record.entry for record in await desk.product.store.audit.read()]
        watched = [entry.task_id for entry in entries if entry.tool == "resources/subscribe"]
        assert watched == [task_id] * 6


@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
async def test_an_owner_who_watches_too_much_is_not_promised_more_and_takes_nothing_from_others(tmp_path: Path) -> None:
    async with open_stage(tmp_path, slow()) as stage:
        tasks = {
            name: await stage.product.tasks.submit(TaskOrder(prompt=PROMPT, owner=name)) for name in ("ann", "bob")
        }
        names = ["ann"]
        server = build_ide_server(
            lambda context: IdeSession(who(names[-1]), stage.product.tasks), stage.product.dispatcher
        )
        many = [f"task://{tasks['ann']}/artifacts/{number}" for number in range(MOST_WATCHED)]
        async with contextlib.AsyncExitStack() as streams:
            client = await streams.enter_async_context(Client(server, cache=None))
            old = await streams.enter_async_context(Client(server, mode="legacy", cache=None))
            async with contextlib.AsyncExitStack() as full:
                for _ in range(MOST_WATCHED_BY_OWNER // MOST_WATCHED):
                    stream = await full.enter_async_context(client.listen(resource_subscriptions=many))
                    assert stream.honored.resource_subscriptions == many
                async with client.listen(resource_subscriptions=many) as stream:
                    assert not stream.honored.resource_subscriptions
                with pytest.raises(MCPError, match="128 resources are watched"):
                    await old.subscribe_resource(many[0])
                names.append("bob")
                async with client.listen(resource_subscriptions=[f"task://{tasks['bob']}"]) as stream:
                    assert stream.honored.resource_subscriptions == [f"task://{tasks['bob']}"]
                names.append("ann")
            await old.subscribe_resource(many[0])


async def test_one_resource_by_several_names_is_watched_once(tmp_path: Path) -> None:
    async with open_desk(tmp_path, slow()) as desk:
        task_id = (await desk.data("run_task", prompt=PROMPT))["task_id"]
        names = [f"task://{task_id}/events?after=1", f"TASK://{task_id}/events", f"task://{task_id}/events?after=2"]
        async with desk.client.listen(resource_subscriptions=names) as stream:
            assert stream.honored.resource_subscriptions == names[:1]


async def test_a_stream_tells_of_tasks_and_tools_and_of_nothing_else(tmp_path: Path) -> None:
    async with open_stage(tmp_path, slow()) as stage:
        async with connected(stage.product, caller=who("ann")) as desk:
            foreign = (await desk.data("run_task", prompt=PROMPT))["task_id"]
        async with connected(stage.product) as desk:
            task_id = (await desk.data("run_task", prompt=PROMPT))["task_id"]
            wanted = [f"task://{task_id}", f"task://{foreign}", "file:///etc/passwd"]
            async with desk.client.listen(tools_list_changed=True, resource_subscriptions=wanted) as stream:
                assert stream.honored.resource_subscriptions == [f"task://{task_id}"]
                registry_of(desk).register(extra("one"))
                await when(stage.product, task_id, SnapshotMade)
                await desk.data("cancel_task", task_id=task_id)
                await stage.product.tasks.cancel("ann", foreign, "enough")
                seen = set()
                async with asyncio.timeout(60):
                    async for event in stream:
                        seen.add(event)
                        if len(seen) == 2:
                            break
                assert seen == {ToolsListChanged(), ResourceUpdated(f"task://{task_id}")}
            registry_of(desk).remove("one")
        assert stage.product.dispatcher.registry._listeners == []


@pytest.mark.parametrize("era", ERAS)
async def test_the_server_says_what_it_tells_of(era: str, tmp_path: Path) -> None:
    async with open_desk(tmp_path, quick(), era) as desk:
        capabilities = desk.client.server_capabilities
        assert capabilities.tools is not None
        assert capabilities.tools.list_changed
        assert capabilities.resources is not None
        assert capabilities.resources.subscribe
        assert capabilities.prompts is not None
        assert "run_task" in (desk.client.instructions or "")
