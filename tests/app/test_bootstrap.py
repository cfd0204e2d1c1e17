"""Tests of app/bootstrap.py: what a start tidies up, and what an end leaves."""

import asyncio
import contextlib
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.bootstrap import build, settling, tool_means
from app.models import only
from app.servers import approvals, external_servers
from app.settings import Settings
from app.store import open_store
from domain.errors import StorageUnavailable, UsageError
from domain.events import TaskStarted, TaskSubmitted, ToolCalled
from domain.ledger import Attempt, Scope, Settlement
from domain.money import NanoUsd
from domain.task import TaskSpec, TaskStatus
from gateway.scripted import ScriptedProvider
from mcp_server.parsers.parsers import Parsers
from mcp_server.registry import Registry
from mcp_server.repo_map.repo_map import RepoMap
from mcp_server.tools import specialist_tools
from sandbox.fake import FakeSandboxes
from tests.director.stage import node, open_stage, part, planned, writes
from tests.gateway.house import Purse, Voice, call, single
from tests.mcp_server.external.stage import PROGRAM
from tests.mcp_server.parsers.test_parsers import workers
from tests.mcp_server.place import open_place


async def test_a_start_ends_the_tasks_of_dead_processes_and_leaves_those_of_live_ones(tmp_path: Path) -> None:
    settings = Settings(soundstage_home=tmp_path)
    async with build(settings, only(ScriptedProvider(()), "m", "a test"), FakeSandboxes()) as first:
        for task, worker in (("dead", "nobody"), ("alive", _own_id(tmp_path))):
            await first.store.workspaces.create(task)
            spec = TaskSpec(id=task, prompt="x", model="m", base_commit="base")
            await first.store.log.append(task, "submitted", TaskSubmitted(spec=spec))
            await first.store.log.append(task, "started", TaskStarted(worker=worker))
        async with build(settings, only(ScriptedProvider(()), "m", "a test"), FakeSandboxes()) as second:
            assert (await second.store.tasks.find("dead")).status is TaskStatus.FAILED
            assert (await second.store.tasks.find("alive")).status is TaskStatus.RUNNING
            result = await second.store.tasks.result("dead")
            assert result is not None
            assert result.commit == "base"


async def test_a_start_settles_expired_reservations_at_what_they_reserved(tmp_path: Path) -> None:
    settings = Settings(soundstage_home=tmp_path)
    async with open_store(settings) as store:
        await store.ledger.open(Scope(id="task:t"))
        await store.ledger.reserve(reservation(expires_s=0.000001))
    async with build(settings, only(ScriptedProvider(()), "m", "a test"), FakeSandboxes()) as started:
        spent = await started.store.ledger.spending("task:t")
    assert (spent.reserved, spent.settled, spent.settled_tokens) == (0, 50, 9)


async def test_a_reservation_of_a_dead_process_that_expires_later_is_settled_while_the_work_goes_on(
    tmp_path: Path,
) -> None:
    settings, models = Settings(soundstage_home=tmp_path), only(ScriptedProvider(()), "m", "a test")
    async with build(settings, models, FakeSandboxes(), tidy_every_s=0.01) as started:
        ledger = started.store.ledger
        await ledger.open(Scope(id="task:t"))
        await ledger.reserve(reservation(expires_s=0.05))
        async with asyncio.timeout(60):
            while (spent := await ledger.spending("task:t")).reserved:
                pass
    assert (spent.settled, spent.settled_tokens) == (50, 9)


class Full(Purse):
    """Writes a settlement when the disk has been full for so many times."""

    def __init__(self, full: int) -> None:
        super().__init__()
        self.full = full

    async def settle(self, settlement: Settlement) -> None:
        self.full -= 1
        if self.full >= 0:
            raise StorageUnavailable
        await super().settle(settlement)


@pytest.mark.parametrize(("full", "written"), [(1, ["ok"]), (9, [])])
async def test_what_was_sent_is_settled_also_when_the_work_fails_and_its_error_goes_first(
    full: int, written: list[str]
) -> None:
    purse = Full(full)
    gateway = single(Voice("v"), purse)

    async def work() -> None:
        async with settling(gateway):
            await gateway.complete(call("m"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await work()
    assert [outcome for _, _, outcome in purse.told()] == written


async def test_a_settlement_that_cannot_be_written_is_said_where_nothing_else_went_wrong() -> None:
    gateway = single(Voice("v"), Full(9))
    with pytest.raises(StorageUnavailable):
        async with settling(gateway):
            await gateway.complete(call("m"))


async def test_an_end_leaves_no_lock_behind(tmp_path: Path) -> None:
    async with build(Settings(soundstage_home=tmp_path), only(ScriptedProvider(()), "m", "a test"), FakeSandboxes()):
        assert len(list((tmp_path / "instances").iterdir())) == 1
    assert list((tmp_path / "instances").iterdir()) == []


def reservation(expires_s: float) -> Attempt:
    return Attempt(
        id="a", scope="task:t", task_id="t", subtask_id="", provider="p", model="m",
        reserved=NanoUsd(50), reserved_tokens=9, expires_s=expires_s,
    )  # fmt: skip


async def test_tools_reach_what_the_settings_name_and_nothing_else(tmp_path: Path) -> None:
    named = Settings(
        soundstage_home=tmp_path, soundstage_http_hosts="a.example:8443",
        soundstage_databases=SecretStr("shop=postgresql://me:word-of-mine@h/x"),
    )  # fmt: skip
    async with open_store(named) as store, Parsers() as parsers:
        means = tool_means(named, store, parsers, RepoMap(parsers))
        bare = tool_means(Settings(soundstage_home=tmp_path), store, parsers, RepoMap(parsers))
    assert means.web is not None
    assert [str(host) for host in means.web.hosts] == ["a.example:8443"]
    assert "http_request" not in [tool.name for tool in specialist_tools(bare)]
    assert means.databases is not None
    assert bare.databases is not None
    assert (means.databases.names, bare.databases.names, bare.web) == (("shop",), (), None)
    assert "word-of-mine" not in repr(named)
    assert SecretStr("word-of-mine") in named.known_secrets


async def test_sources_are_parsed_by_a_worker_that_starts_when_it_is_needed_and_ends_with_the_product(
    tmp_path: Path,
) -> None:
    model = ScriptedProvider(
        (planned(node("code")), part("You are the code", lines=writes(("calc.py", "x = ( = 1\n"))))
    )
    async with open_stage(tmp_path, model) as stage:
        assert workers() == []
        await stage.submit()
        await stage.run()
        (written, _) = await stage.happened(ToolCalled)
        assert "Note that calc.py does not parse (line 1)" in written.observation
        assert len(workers()) == 1
    assert workers() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"soundstage_http_hosts": "https://x"},
        {"soundstage_databases": "mysql://u:p@h"},
        {"soundstage_roles": "/nowhere/roles"},
    ],
)
async def test_a_setting_that_cannot_be_used_is_told_at_the_start(wrong: dict[str, str], tmp_path: Path) -> None:
    settings = Settings.model_validate({"soundstage_home": tmp_path, **wrong})
    with pytest.raises(UsageError, match=r"SOUNDSTAGE_(HTTP_HOSTS|DATABASES) cannot be used|Correct SOUNDSTAGE_ROLES"):
        async with build(settings, only(ScriptedProvider(()), "m", "a test"), FakeSandboxes()):
            pass


def _own_id(home: Path) -> str:
    return next((home / "instances").iterdir()).stem


async def test_approved_tools_of_external_servers_are_at_hand_from_the_start_and_their_servers_gone_at_the_end(
    tmp_path: Path,
) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "speaker.py").write_bytes(PROGRAM)
    command = 'command = ["python3", "-u", "speaker.py"]\nfiles = "tools"\nconnect_s = 60\n'
    (tmp_path / "servers.toml").write_text(f"[server.a]\n{command}[server.b]\ncommand = ['none']\n")
    settings, models = Settings(soundstage_home=tmp_path), only(ScriptedProvider(()), "m", "a test")
    sandboxes = FakeSandboxes()
    async with contextlib.aclosing(external_servers(settings, sandboxes, Registry())) as servers:
        listing = await servers.all["a"].listing()
        approvals(settings).approve(servers.all["a"].config, listing.tools)
    started = len(sandboxes.processes)
    async with build(settings, models, sandboxes) as soundstage:
        assert len(sandboxes.processes) == started
        tool = soundstage.dispatcher.registry.get("a__echo")
        assert tool is not None
        async with open_place(tmp_path / "place") as place:
            outcome = await soundstage.dispatcher.call(place.session, "a__echo", {"text": "hello"})
        assert "echo: hello" in outcome.text
    assert sandboxes.processes[started].returncode is not None
