"""The boundary of the dependencies phase, as the director uses it."""

from typing import Protocol

from sandbox.dependencies.installed import Installed
from sandbox.dependencies.source import Order


class Installer(Protocol):
    """Makes an image that holds what a workspace depends on."""

    def manifest(self, language: str) -> str | None:
        """The file that asks for packages in a language; None where there is no package client for it."""
        ...

    async def install(self, order: Order) -> Installed:
        """The image for a workspace, made now or found. DependenciesFailed, InfrastructureError."""
        ...
