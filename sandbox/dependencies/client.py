"""The boundary of a package client: what it reads, what it needs of the outside, and what it runs."""

from typing import Protocol

from pydantic import Field

from domain.base import Value
from domain.command import Command
from domain.files import File, FileTree
from sandbox.base import Sandbox
from sandbox.dependencies.access import Access, NamedUrl

TREE, HOME, WHEELS = "tree", "home", "wheels"
"""Folders of the install container's workspace: the manifests, the client's own files, wheels of the person."""
PORT = 3128
"""The loopback port in the install container that leads to the egress proxy."""
PROXY = f"http://127.0.0.1:{PORT}"
BUNDLE = f"{HOME}/authorities.pem"
"""Where the bundle of authorities lies while packages are installed, below the container's workspace."""
PROXY_VARIABLES = {
    "HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY, "http_proxy": PROXY, "https_proxy": PROXY,
    "NO_PROXY": "", "no_proxy": "",
}  # fmt: skip


class Manifests(Value):
    """The files of a workspace that a client reads, and the URLs that they name."""

    files: dict[str, File]
    urls: tuple[NamedUrl, ...] = ()
    notes: tuple[str, ...] = ()


class Step(Value):
    """A program to run in the install container. One that is not ``needed`` may fail."""

    argv: tuple[str, ...] = Field(min_length=1)
    needed: bool = True


class PackageClient(Protocol):
    """One package client, such as pip. ``result`` is the folder that it fills, below /workspace; ``place`` is where
    that folder goes in the image."""

    name: str
    manifest: str
    result: str
    place: str

    def manifests(self, tree: FileTree) -> Manifests:
        """What of ``tree`` the client reads. DependenciesFailed."""
        ...

    def fingerprint(self) -> str:
        """What of this machine's configuration decides where packages come from. DependenciesFailed."""
        ...

    async def access(self, sandbox: Sandbox) -> Access:
        """The hosts that the client needs; its own defaults are asked of it in ``sandbox``. DependenciesFailed."""
        ...

    def offline(self) -> Access:
        """What the client is told when it may reach nothing. DependenciesFailed when it cannot do without."""
        ...

    def steps(self, manifests: Manifests, offline: bool) -> tuple[Step, ...]:
        """The programs that install."""
        ...


async def ask(sandbox: Sandbox, argv: tuple[str, ...]) -> bytes | None:
    """What a short program in the sandbox says, or None when it fails."""
    result = await sandbox.run(Command(argv=argv, timeout_s=60.0))
    return result.stdout if result.ok else None
