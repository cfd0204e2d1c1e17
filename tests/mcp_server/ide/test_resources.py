"""Tasks as resources."""

import base64
import json
from pathlib import Path
from typing import Any

import mcp.types as types
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.shared.exceptions import MCPError

from domain.events import NoticeGiven
from domain.task_service import TaskOrder
from gateway.scripted import Line, ScriptedProvider
from mcp_server.caller import Permission
from mcp_server.ide.resources import EVENTS_PAGE, PAGE, UnknownResource, address_of
from tests.app.test_task_desk import CODE, quick
from tests.director.stage import node, open_stage, part, planned, shell
from tests.mcp_server.ide.front_desk import ERAS, ME, FrontDesk, connected, open_desk, who

PROMPT = "Write the module calc."
NOWHERE = "0" * 12


def keeper() -> ScriptedProvider:
    """Keeps a text and a picture, under names that are hard on a URI."""
    lines = [
        Line(
            calls=(
                shell(r"mkdir -p 'dist/a b'; printf 'fine\n' > 'dist/a b/r?port%.txt'; printf '\377\0' > dist/p.png"),
            )
        ),
        Line(calls=(("submit", '{"summary": "done", "artifacts": ["dist/**"]}'),)),
    ]
    return ScriptedProvider((planned(node("code")), part(CODE, lines=lines)))


async def read(desk: FrontDesk, uri: str) -> types.TextResourceContents | types.BlobResourceContents:
    (contents,) = (await desk.client.read_resource(uri)).contents
    assert contents.uri == uri
    return contents


async def text(desk: FrontDesk, uri: str) -> str:
    contents = await read(desk, uri)
    assert isinstance(contents, types.TextResourceContents)
    return contents.text


async def refusal(desk: FrontDesk, uri: str) -> MCPError:
    with pytest.raises(MCPError) as error:
        await desk.client.read_resource(uri)
    return error.value


@pytest.mark.parametrize("era", ERAS)
async def test_a_task_its_events_its_patch_and_its_evidence_can_be_read(era: str, tmp_path: Path) -> None:
    async with open_desk(tmp_path, quick(), era) as desk:
        state = await desk.data("run_task", prompt=PROMPT, test_command="test -f calc.py", wait=True)
        base = f"task://{state['task_id']}"
        assert json.loads(await text(desk, base)) == state
        events = [json.loads(line) for line in (await text(desk, f"{base}/events")).splitlines()]
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        assert sorted(events[0]) == ["at", "seq", "text", "type"]
        later = [json.loads(line) for line in (await text(desk, f"{base}/events?after=4")).splitlines()]
        assert later == events[4:]
        assert await text(desk, f"{base}/events?after=99999") == ""
        assert (await text(desk, f"{base}/patch")).startswith("diff --git a/calc.py b/calc.py")
        assert json.loads(await text(desk, f"{base}/evidence"))["passed"] is True
        templates = (await desk.client.list_resource_templates()).resource_templates
        assert [template.uri_template for template in templates] == [
            "task://{task_id}",
            "task://{task_id}/events{?after}",
            "task://{task_id}/patch",
            "task://{task_id}/evidence",
            "task://{task_id}/artifacts/{+path}",
            "context://{task_id}/repository",
            "context://{task_id}/documentation{?q}",
            "context://{task_id}/environment",
            "context://{task_id}/preferences",
        ]


async def test_a_kept_file_is_read_as_text_or_as_bytes(tmp_path: Path) -> None:
    async with open_desk(tmp_path, keeper()) as desk:
        state = await desk.data("run_task", prompt=PROMPT, wait=True)
        base = f"task://{state['task_id']}/artifacts"
        assert state["artifacts"] == ["dist/a b/r?port%.txt", "dist/p.png"]
        assert await text(desk, f"{base}/dist/a%20b/r%3Fport%25.txt") == "fine\n"
        picture = await read(desk, f"{base}/dist/p.png")
        assert isinstance(picture, types.BlobResourceContents)
        assert (base64.b64decode(picture.blob), picture.mime_type) == (b"\xff\0", "image/png")


WRONG = [
    "task://ID/nothing", "task://ID/artifacts", "task://ID/artifacts/", "task://ID/artifacts/none",
    "task://ID/artifacts/..%2F..%2Fetc%2Fpasswd", "task://ID/patch/x", "task://ID/patch?after=1", "task://ID?x=1",
    "task://ID/events?after=-1", "task://ID/events?after=x", "task://ID/events?after=" + "9" * 5000, "task://ID#x",
    "task://ID/events?before=1", "task://", "task:ID", "file:///etc/passwd", "ID", "", "task://[", "task://ID@x",
    "task://" + "x" * 100_000, "task://ID\x00", "task://%49%44",
]  # fmt: skip


@pytest.mark.parametrize("era", ERAS)
async def test_what_there_is_not_is_not_found_whatever_it_is_called(era: str, tmp_path: Path) -> None:
    async with open_desk(tmp_path, quick(), era) as desk:
        task_id = (await desk.data("run_task", prompt=PROMPT, wait=True))["task_id"]
        for uri in WRONG:
            error = await refusal(desk, uri.replace("ID", task_id))
            assert (error.code, error.message) == (types.INVALID_PARAMS, "Resource not found")


@given(st.text(max_size=50) | st.text(max_size=50).map("task://{}".format))
def test_any_text_is_an_address_or_none(uri: str) -> None:
    try:
        address = address_of(uri)
    except UnknownResource:
        return
    assert address.task_id
    assert "/" not in address.task_id
    assert bool(address.rest) is (address.part == "artifacts")


PARTS = ["", "/events", "/patch", "/evidence", "/artifacts/dist/p.png"]


@pytest.mark.parametrize("era", ERAS)
async def test_what_is_somebody_elses_is_not_found_either(era: str, tmp_path: Path) -> None:
    async with open_stage(tmp_path, keeper()) as stage:
        async with connected(stage.product, era, who("ann")) as desk:
            task_id = (await desk.data("run_task", prompt=PROMPT, wait=True))["task_id"]
            for part_of in PARTS:
                assert await read(desk, f"task://{task_id}{part_of}")
        only_costs = who("ann", frozenset({Permission.SEE_COSTS}))
        for caller in (who("bob"), only_costs):
            async with connected(stage.product, era, caller) as desk:
                assert (await desk.client.list_resources()).resources == []
                for part_of in PARTS:
                    foreign = await refusal(desk, f"task://{task_id}{part_of}")
                    unknown = await refusal(desk, f"task://{NOWHERE}{part_of}")
                    assert (foreign.code, foreign.message) == (unknown.code, unknown.message)


async def test_tasks_are_listed_with_the_newest_first_page_by_page(tmp_path: Path) -> None:
    async with open_desk(tmp_path, quick()) as desk:
        made = []
        for number in range(PAGE + 3):
            made.append(await desk.product.tasks.submit(TaskOrder(prompt=f"\x1b[31mtask {number}")))
            await desk.product.tasks.cancel(ME, made[-1], "there is not room for so many at once")
        first = await desk.client.list_resources()
        second = await desk.client.list_resources(cursor=first.next_cursor)
        listed = [resource.uri for resource in (*first.resources, *second.resources)]
        assert listed == [f"task://{task_id}" for task_id in reversed(made)]
        assert (second.next_cursor, second.resources[-1].title) == (None, "task 0")
        with pytest.raises(MCPError, match="leads nowhere"):
            await desk.client.list_resources(cursor=NOWHERE)


async def test_a_long_story_is_read_in_pieces(tmp_path: Path) -> None:
    async with open_desk(tmp_path, quick()) as desk:
        task_id = await desk.product.tasks.submit(TaskOrder(prompt=PROMPT))
        await desk.product.tasks.wait(ME, task_id)
        for number in range(EVENTS_PAGE):
            await desk.product.store.log.append(task_id, f"more:{number}", NoticeGiven(text="x" * 10_000))
        story: list[dict[str, Any]] = []
        while page := (await text(desk, f"task://{task_id}/events?after={len(story)}")).splitlines():
            assert len(page) <= EVENTS_PAGE
            story += map(json.loads, page)
        newest = (await desk.product.store.log.read(task_id))[-1].seq
        assert [event["seq"] for event in story] == list(range(1, newest + 1))
        assert len(story[-1]["text"]) < 1000


async def test_what_is_too_large_to_be_read_at_once_says_what_to_do(tmp_path: Path) -> None:
    lines = [
        Line(calls=(shell("head -c 9000000 /dev/zero | tr '\\0' 'a' > big.txt"),)),
        Line(calls=(("submit", '{"summary": "done"}'),)),
    ]
    async with open_desk(tmp_path, ScriptedProvider((planned(node("code")), part(CODE, lines=lines)))) as desk:
        task_id = (await desk.data("run_task", prompt=PROMPT, wait=True))["task_id"]
        error = await refusal(desk, f"task://{task_id}/patch")
        assert error.message == "It is larger than 8 MiB. Read a patch in pieces with get_patch."
        assert (await desk.data("get_patch", task_id=task_id))["total"] > 9_000_000
