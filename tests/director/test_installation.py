"""Installing what a workspace depends on, as a part of a task."""

import contextlib
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from director.service import Director
from domain.errors import DependenciesFailed
from domain.events import DependenciesInstalled, NoticeGiven, PlanMade, TaskFinished
from domain.files import File
from domain.task import Limits, TaskSpec, TaskStatus
from gateway.scripted import ScriptedProvider
from sandbox.base import Sandbox, SandboxRequest
from sandbox.dependencies.installed import Installed
from sandbox.dependencies.source import Order
from sandbox.egress.contact import Contact, Outcome
from sandbox.fake import FakeSandboxes
from tests.director.stage import RIGHT, TASK, TEST, TESTS, Stage, node, open_stage, part, planned, writes

IMAGE = "soundstage-deps-python:0"


class SeenSandboxes(FakeSandboxes):
    """Sandboxes that remember what was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[SandboxRequest] = []

    @contextlib.asynccontextmanager
    async def lease(self, request: SandboxRequest) -> AsyncIterator[Sandbox]:
        """A sandbox."""
        self.requests.append(request)
        async with super().lease(request) as sandbox:
            yield sandbox


class PlayedInstaller:
    """Says that all is installed, or that it cannot be."""

    def __init__(self, fails: bool = False) -> None:
        self.orders: list[Order] = []
        self._fails = fails

    def manifest(self, language: str) -> str | None:
        """As pip has it."""
        return "requirements.txt" if language == "python" else None

    async def install(self, order: Order) -> Installed:
        """Nothing is done."""
        self.orders.append(order)
        if self._fails:
            raise DependenciesFailed("pip could not install: gone", reason="client")
        contacts = tuple(
            Contact(host=f"{outcome}.example", port=443, outcome=outcome)
            for outcome in (Outcome.PASSED, Outcome.REFUSED, Outcome.UNREACHABLE)
        )
        return Installed(tag=IMAGE, cached=False, seconds=1.5, files=2, size=3, contacts=contacts, notes=("a note",))


async def submitted(stage: Stage, installer: PlayedInstaller, files: dict[str, str], install: bool = True) -> Director:
    """A director that has a task with these files before it."""
    workspace = await stage.product.store.workspaces.create(TASK)
    stage.base = (
        await workspace.start({path: File(content=text.encode()) for path, text in ({TEST: TESTS} | files).items()})
    ).commit
    director = Director(dataclasses.replace(stage.product.director._equipment, installer=installer))
    spec = TaskSpec(
        id=TASK, prompt="Write calc.", model="scripted", base_commit=stage.base, protected_paths=(TEST,),
        limits=Limits(), install=install,
    )  # fmt: skip
    await director.submit(spec)
    return director


def model() -> ScriptedProvider:
    """A model that writes the module."""
    return ScriptedProvider(
        [planned(node("code")), part("You are the code specialist", lines=writes(("calc.py", RIGHT)))]
    )


async def test_every_sandbox_of_the_task_has_what_was_installed_and_the_log_says_so(home: Path) -> None:
    sandboxes, installer = SeenSandboxes(), PlayedInstaller()
    async with open_stage(home, model(), sandboxes) as stage:
        director = await submitted(stage, installer, {"requirements.txt": "six\n"})
        result = await director.run(TASK)
        facts = await stage.facts()
        (installed,) = await stage.happened(DependenciesInstalled)

    (order,) = installer.orders
    assert set(order.tree) == {TEST, "requirements.txt"}
    assert result.status is TaskStatus.SOLVED
    assert {request.purpose for request in sandboxes.requests} >= {"code", "verify"}
    assert {request.image for request in sandboxes.requests} == {IMAGE}
    assert facts.index(installed) < next(at for at, fact in enumerate(facts) if isinstance(fact, PlanMade))
    assert (installed.image, installed.reached, installed.refused) == (
        IMAGE,
        ("passed.example:443",),
        ("refused.example:443",),
    )


async def test_nothing_is_installed_unless_it_is_asked_for(home: Path) -> None:
    sandboxes, installer = SeenSandboxes(), PlayedInstaller()
    async with open_stage(home, model(), sandboxes) as stage:
        director = await submitted(stage, installer, {"requirements.txt": "six\n"}, install=False)
        await director.run(TASK)

    assert installer.orders == []
    assert {request.image for request in sandboxes.requests} == {None}


async def test_a_workspace_without_a_manifest_is_worked_on_as_it_is_and_that_is_said(home: Path) -> None:
    installer = PlayedInstaller()
    async with open_stage(home, model()) as stage:
        director = await submitted(stage, installer, {})
        result = await director.run(TASK)
        notices = await stage.happened(NoticeGiven)

    assert installer.orders == []
    assert result.status is TaskStatus.SOLVED
    assert any("requirements.txt" in notice.text for notice in notices)


async def test_a_task_whose_dependencies_fail_ends_before_any_model_is_asked(home: Path) -> None:
    played = model()
    async with open_stage(home, played) as stage:
        director = await submitted(stage, PlayedInstaller(fails=True), {"requirements.txt": "six\n"})
        with pytest.raises(DependenciesFailed):
            await director.run(TASK)
        last = (await stage.facts())[-1]

    assert isinstance(last, TaskFinished)
    assert last.result.status is TaskStatus.FAILED
    assert "pip could not install" in last.result.reason
    assert played.requests == []
