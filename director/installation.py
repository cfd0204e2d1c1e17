"""What a workspace depends on is installed before the work begins, and every sandbox of the task has it then."""

import dataclasses
from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager

from director.equipment import Equipment
from domain.events import DependenciesInstalled, NoticeGiven
from domain.journal import Journal
from domain.task import TaskSpec
from domain.workspace import Workspace
from sandbox.base import Sandbox, Sandboxes, SandboxRequest
from sandbox.dependencies.installed import Installed
from sandbox.dependencies.source import Order
from sandbox.egress.contact import Outcome

LANGUAGES = ("python",)
"""Those whose tests the clean room runs, and so whose image a task's sandboxes are made of."""


class OnImage:
    """Sandboxes of which all that ask for no image of their own are leased with one that holds dependencies."""

    def __init__(self, sandboxes: Sandboxes, image: str) -> None:
        self._sandboxes = sandboxes
        self._image = image

    def lease(self, request: SandboxRequest) -> AbstractAsyncContextManager[Sandbox]:
        """A fresh sandbox."""
        return self._sandboxes.lease(request.model_copy(update={"image": request.image or self._image}))

    async def reap(self, alive: Callable[[], Collection[str]]) -> list[str]:
        """As the sandboxes do."""
        return await self._sandboxes.reap(alive)

    async def close(self) -> None:
        """As the sandboxes do."""
        await self._sandboxes.close()


async def with_dependencies(equipment: Equipment, spec: TaskSpec, workspace: Workspace, journal: Journal) -> Equipment:
    """The equipment for a task, its sandboxes with what its workspace asks for where the task wants that.

    DependenciesFailed, InfrastructureError.
    """
    if not spec.install or equipment.installer is None:
        return equipment
    installer = equipment.installer
    files = await workspace.files(spec.base_commit)
    language = next((name for name in LANGUAGES if installer.manifest(name) in files), None)
    if language is None:
        names = ", ".join(str(installer.manifest(name)) for name in LANGUAGES)
        text = f"The workspace has none of {names}, so nothing was installed."
        await equipment.log.append(spec.id, "dependencies", NoticeGiven(text=text))
        return equipment
    order = Order(task_id=spec.id, tree=files, language=language, isolation=spec.isolation)
    installed = await journal.step("dependencies", Installed, lambda: installer.install(order))
    await equipment.log.append(spec.id, "dependencies", _fact(installed))
    return dataclasses.replace(equipment, sandboxes=OnImage(equipment.sandboxes, installed.tag))


def _fact(installed: Installed) -> DependenciesInstalled:
    return DependenciesInstalled(
        image=installed.tag,
        cached=installed.cached,
        duration_s=installed.seconds,
        files=installed.files,
        size=installed.size,
        reached=installed.hosts(Outcome.PASSED),
        refused=installed.hosts(Outcome.REFUSED),
        notes=installed.notes,
    )
