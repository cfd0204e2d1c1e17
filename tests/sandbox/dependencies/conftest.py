"""The dependencies phase on a real engine."""

import _socket
import os
import secrets
import socket
from collections.abc import AsyncIterator, Iterator

import pytest

from app.settings import Settings
from domain.command import CommandResult, shell
from domain.errors import DependenciesFailed
from domain.files import FileTree
from sandbox.dependencies.dependencies import Dependencies
from sandbox.dependencies.installed import Installed
from sandbox.dependencies.layer_store import LayerStore
from sandbox.dependencies.settings import PackageSettings
from sandbox.dependencies.source import Order
from sandbox.dependencies.sources import sources
from sandbox.image_engine import ImageEngine
from tests.sandbox.dependencies.registry import Registry, registry
from tests.sandbox.docker_place import DockerPlace


class Phase:
    """Installs, and removes the images that it made."""

    def __init__(self, place: DockerPlace) -> None:
        self.place = place
        self.settings = PackageSettings()
        self.engine = ImageEngine(os.environ.get("DOCKER_HOST"))
        self._made: set[str] = set()

    @property
    def dependencies(self) -> Dependencies:
        """The phase, with the present settings."""
        return Dependencies(LayerStore([self.engine]), sources(self.place.sandboxes, self.settings))

    async def install(self, tree: FileTree, **more: object) -> Installed:
        """What comes of installing a tree; fails loudly where a registry of this machine is needed and not there."""
        order = Order.model_validate({"task_id": "a-task", "tree": tree, **more})
        try:
            installed = await self.dependencies.install(order)
        except DependenciesFailed as error:
            if error.reason == "unreachable" and not self.settings.pip and not self.settings.npm:
                pytest.fail(
                    "This test needs a package index that this machine reaches. Set PIP_INDEX_URL or "
                    f"NPM_CONFIG_REGISTRY to one, or HTTPS_PROXY.\n{error}"
                )
            raise
        self.remove_later(installed)
        return installed

    def remove_later(self, installed: Installed) -> None:
        """Removes the image at the end of the test."""
        self._made.add(installed.tag)

    async def failure(self, tree: FileTree, **more: object) -> DependenciesFailed:
        """The error of an installation that fails."""
        with pytest.raises(DependenciesFailed) as caught:
            await self.install(tree, **more)
        return caught.value

    async def run(self, installed: Installed, script: str) -> CommandResult:
        """What a script does in a fresh container of what was installed."""
        async with self.place.lease(image=installed.tag) as sandbox:
            return await sandbox.run(shell(script))

    def remove_images(self) -> None:
        """Removes what was made."""
        for tag in self._made:
            self.place.client.remove_image(tag, force=True)


@pytest.fixture
async def phase(place: DockerPlace) -> AsyncIterator[Phase]:
    """The phase without any configuration of this machine."""
    made = Phase(place)
    try:
        yield made
    finally:
        made.remove_images()


@pytest.fixture
def machine(phase: Phase, monkeypatch: pytest.MonkeyPatch) -> Phase:
    """The phase with the configuration of this machine, whose registries may be reached: the proxy sees to it that
    nothing else is."""
    monkeypatch.setattr(socket.socket, "connect", _socket.socket.connect)
    phase.settings = Settings().packages
    return phase


@pytest.fixture
def own(phase: Phase) -> Iterator[Registry]:
    """A registry of the test's own, which the phase is configured to use."""
    with registry() as serving:
        pip = {"index-url": f"{serving.url}/simple", "trusted-host": "127.0.0.1"}
        phase.settings = PackageSettings(pip=pip, npm={"registry": serving.url})
        yield serving


@pytest.fixture
def token() -> str:
    """A word that makes a manifest one that nobody has installed before."""
    return secrets.token_hex(8)
