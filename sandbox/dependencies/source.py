"""The boundary of what packages come from: a package client in a container, or a folder of this machine."""

from pathlib import Path
from typing import BinaryIO, Protocol

from pydantic import Field

from domain.base import Value
from domain.files import File
from sandbox.egress.contact import Contact

MIB = 1024 * 1024


class Order(Value):
    """What is to be installed: a workspace's ``tree``, for ``language``, on top of ``image`` (that language's own
    when None). ``folder`` holds what to install from instead of the network: wheels, or for Java a Maven repository.

    ``deadline_s`` is seconds of wall clock for the package client; ``size_limit`` bytes of what it may install.
    """

    task_id: str
    tree: dict[str, File]
    language: str = "python"
    image: str | None = None
    isolation: str = "runc"
    folder: Path | None = None
    deadline_s: float = Field(default=600.0, gt=0, le=3600)
    size_limit: int = Field(default=512 * MIB, gt=0, le=1024 * MIB)


class Collected(Value):
    """How packages were come by: the hosts that were asked for, the end of what the client said, and remarks."""

    contacts: tuple[Contact, ...] = ()
    output: str = ""
    notes: tuple[str, ...] = ()


class Source(Protocol):
    """Where one language's packages come from. ``manifest`` is the file that asks for them, ``place`` the folder of
    the image that they go to."""

    @property
    def manifest(self) -> str:
        """The file that asks for packages."""
        ...

    @property
    def place(self) -> str:
        """The image's folder for them."""
        ...

    def fingerprint(self, order: Order) -> str:
        """All that decides what is installed, apart from the image. DependenciesFailed."""
        ...

    async def collect(self, order: Order, image: str, target: BinaryIO) -> Collected:
        """Writes the packages to ``target`` as a tar stream that is not vetted yet. DependenciesFailed."""
        ...
