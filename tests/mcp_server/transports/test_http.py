"""MCP over HTTP: the real product behind a real socket, with the SDK's own client and without one."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from app.bootstrap import Soundstage
from app.http_server import serve_http
from domain.access import AccessScope
from mcp_server.ide.callers import key_holder
from mcp_server.ide.server import build_ide_server
from mcp_server.ide.session import IdeSession
from mcp_server.ide.updates import Context
from mcp_server.transports import http, sessions
from mcp_server.transports.http import MOST_BODY_BYTES, http_app
from tests.app.test_task_desk import quick
from tests.director.stage import open_stage
from tests.mcp_server.ide.front_desk import ERAS, text_of

ALL = tuple(AccessScope)
NOWHERE = "0" * 12
HELLO: dict[str, Any] = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}  # fmt: skip
PLAIN = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


@dataclass(frozen=True)
class House:
    """A server, and who gives out its keys."""

    url: str
    product: Soundstage
    serving: asyncio.Task[None]

    async def key(self, *scopes: AccessScope, owner: str = "local") -> str:
        """A new key."""
        _, shown = await self.product.store.access.add(scopes, owner)
        return str(shown.get_secret_value())

    @contextlib.asynccontextmanager
    async def client(self, key: str, era: str = "auto") -> AsyncIterator[Client]:
        """A client that shows a key."""
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as http,
            Client(streamable_http_client(self.url, http_client=http), mode=era, cache=None) as client,
        ):
            yield client

    async def post(self, key: str, body: Any, **headers: str) -> httpx2.Response:
        """The answer to a bare request."""
        said = {**PLAIN, "Authorization": f"Bearer {key}", **headers}
        async with httpx2.AsyncClient() as http:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            return await http.post(self.url, content=content, headers=said)


@contextlib.asynccontextmanager
async def open_house(home: Path, *origins: str) -> AsyncIterator[House]:
    """The product with a scripted model, served on a free port."""
    async with open_stage(home, quick()) as stage:
        product = stage.product

        def found(context: Context) -> IdeSession:
            return IdeSession(key_holder(context), product.tasks)

        server = build_ide_server(found, product.dispatcher)
        app = http_app(server, product.store.access, origins=origins)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            serving = asyncio.create_task(serve_http(app, listening))
            try:
                yield House(f"http://127.0.0.1:{listening.getsockname()[1]}/mcp", product, serving)
            finally:
                serving.cancel()
                await asyncio.gather(serving, return_exceptions=True)


@pytest.mark.parametrize("era", ERAS)
async def test_a_key_allows_what_its_scopes_say_and_no_more(era: str, tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        seeing, steering = await house.key(AccessScope.SEE_TASKS), await house.key(*ALL)
        async with house.client(seeing, era) as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            assert "list_tasks" in names
            assert names.isdisjoint({"run_task", "cancel_task", "get_costs"})
            refused = await client.call_tool("run_task", {"prompt": "Write it"})
            assert refused.is_error
        async with house.client(steering, era) as client:
            done = await client.call_tool("run_task", {"prompt": "Write the module calc.", "wait": True})
            assert done.structured_content is not None, text_of(done)
            assert done.structured_content["reason"], text_of(done)


@pytest.mark.parametrize("era", ERAS)
async def test_the_audit_log_names_the_key(era: str, tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        key = await house.key(*ALL)
        async with house.client(key, era) as client:
            await client.call_tool("list_tasks", {})
        await house.product.store.access.known()  # in turn with what is written, so all of that is there
        entries = [record.entry for record in await house.product.store.audit.read()]
        assert [entry.tool for entry in entries] == ["list_tasks"]
        assert entries[0].actor.startswith(f"key {key.split('_')[1]}")
        assert key.split("_", 2)[2] not in entries[0].actor


@pytest.mark.parametrize("era", ERAS)
async def test_the_tasks_of_another_owner_are_not_there(era: str, tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        mine, theirs = await house.key(*ALL), await house.key(*ALL, owner="ann")
        async with house.client(mine, era) as client:
            begun = await client.call_tool("run_task", {"prompt": "Write the module calc.", "wait": True})
            assert begun.structured_content is not None
            task = begun.structured_content["task_id"]
        async with house.client(theirs, era) as client:
            seen, nowhere = [text_of(await client.call_tool("get_task", {"task_id": each})) for each in (task, NOWHERE)]
            assert seen.replace(task, NOWHERE) == nowhere
            with pytest.raises(Exception, match="Resource not found"):
                await client.read_resource(f"task://{task}")


async def test_nobody_goes_on_with_the_connection_of_another_key(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        mine, other = await house.key(*ALL), await house.key(*ALL)
        begun = await house.post(mine, HELLO)
        session = {"Mcp-Session-Id": begun.headers["mcp-session-id"], "Mcp-Protocol-Version": "2025-11-25"}
        ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}

        assert (await house.post(mine, ping, **session)).status_code == 200
        assert (await house.post(other, ping, **session)).status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "attacker.example"}, 421),
        ({"Host": "127.0.0.1.attacker.example:80"}, 421),
        ({"Origin": "https://attacker.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost.attacker.example"}, 403),
        ({"Origin": "http://localhost:3000"}, 200),
        ({"Host": "Localhost"}, 200),
        ({"Host": "[::1]:8765"}, 200),
        ({"Host": "u@localhost"}, 421),
        ({"Host": "localhost:x"}, 421),
        ({"Host": "attacker.example", "Authorization": "Bearer wrong"}, 421),
        ({"Content-Type": "text/plain"}, 400),
    ],
)
async def test_web_pages_of_others_are_refused(headers: dict[str, str], status: int, tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        assert (await house.post(await house.key(*ALL), HELLO, **headers)).status_code == status


async def test_without_a_key_nothing_is_told(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        answer = await house.post("sst_000000000000_wrong", HELLO)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
        async with httpx2.AsyncClient() as http:
            for path in ("", "/", "/x"):
                assert (await http.get(house.url.removesuffix("/mcp") + path)).status_code == 404


async def test_what_is_too_large_or_no_message_is_refused(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        key = await house.key(*ALL)
        assert (await house.post(key, b" " * (MOST_BODY_BYTES + 1))).status_code == 413
        for body in (b"", b"{", b"[]", b"\xff", b"[" * 100_000):
            assert (await house.post(key, body)).status_code in (400, 404)
        assert (await house.post(key, HELLO)).status_code == 200


async def test_a_key_that_is_taken_back_lets_in_no_longer(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        key = await house.key(*ALL)
        await house.product.store.access.revoke(key.split("_")[1])
        assert (await house.post(key, HELLO)).status_code == 401


async def test_clients_that_listen_do_not_hold_up_the_end(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        key = await house.key(*ALL)
        begun = await house.post(key, HELLO)
        session = {"Mcp-Session-Id": begun.headers["mcp-session-id"], "Mcp-Protocol-Version": "2025-11-25"}
        listening = {**PLAIN, **session, "Authorization": f"Bearer {key}"}
        async with httpx2.AsyncClient() as http, http.stream("GET", house.url, headers=listening) as stream:
            assert stream.status_code == 200
            house.serving.cancel()
            await asyncio.wait([house.serving])
    assert house.serving.cancelled()


async def test_one_key_does_not_take_the_room_of_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MOST_OF_A_KEY", 2)
    async with open_house(tmp_path) as house:
        mine, other = await house.key(*ALL), await house.key(*ALL)
        assert [(await house.post(mine, HELLO)).status_code for _ in range(3)] == [200, 200, 503]
        assert (await house.post(other, HELLO)).status_code == 200


async def test_what_is_under_way_ends_with_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "REVIEW_EVERY_S", 0.05)
    async with open_house(tmp_path) as house:
        key = await house.key(*ALL)
        begun = await house.post(key, HELLO)
        session = {"Mcp-Session-Id": begun.headers["mcp-session-id"], "Mcp-Protocol-Version": "2025-11-25"}
        listening = {**PLAIN, **session, "Authorization": f"Bearer {key}"}
        async with httpx2.AsyncClient() as client, client.stream("GET", house.url, headers=listening) as stream:
            await house.product.store.access.revoke(key.split("_")[1])
            async for _ in stream.aiter_bytes():  # the server ends it
                pass


async def test_scripts_of_an_allowed_page_may_call(tmp_path: Path) -> None:
    page = "https://ide.example"
    async with open_house(tmp_path, page) as house, httpx2.AsyncClient() as client:
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, mcp-name"}
        allowed = await client.options(house.url, headers={"Origin": page, **asked})
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, page)
        refused = await client.options(house.url, headers={"Origin": "https://attacker.example", **asked})
        assert (refused.status_code, "access-control-allow-origin" in refused.headers) == (403, False)
        done = await house.post(await house.key(*ALL), HELLO, Origin=page)
        assert (done.status_code, done.headers["access-control-allow-origin"]) == (200, page)
        assert (await house.post("sst_000000000000_wrong", HELLO, Origin=page)).status_code == 401
