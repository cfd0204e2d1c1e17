"""Maven: the jars of a pom.xml, out of a local repository folder. Nothing runs for it, and nothing is downloaded."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import BinaryIO

from domain.errors import DependenciesFailed
from sandbox.dependencies.diagnosis import too_large
from sandbox.dependencies.maven_repository import MavenRepository, configured_folder
from sandbox.dependencies.maven_resolution import Resolution
from sandbox.dependencies.pom import read_pom
from sandbox.dependencies.settings import PackageSettings
from sandbox.dependencies.source import Collected, Order
from sandbox.runner import tarstream

MANIFEST = "pom.xml"
PLACE = "/opt/deps/java"


class MavenSource:
    """A source of packages: jars by their coordinates."""

    def __init__(self, settings: PackageSettings) -> None:
        self._settings = settings

    @property
    def manifest(self) -> str:
        """The file that asks for packages."""
        return MANIFEST

    @property
    def place(self) -> str:
        """The image's folder for them."""
        return PLACE

    def fingerprint(self, order: Order) -> str:
        """Names and digests of the jars. DependenciesFailed."""
        jars = self._jars(order)
        return json.dumps(["maven", [(name, _digest(path)) for name, path in sorted(jars.items())]])

    def _jars(self, order: Order) -> dict[str, Path]:
        """File name in the layer -> jar."""
        repository = MavenRepository(self._folder(order))
        jars: dict[str, Path] = {}
        size = 0
        for artifact in Resolution(repository).jars(read_pom(order.tree[MANIFEST].content, MANIFEST)):
            path = repository.jar(artifact)
            size += path.stat().st_size
            if size > order.size_limit:
                raise too_large(order.size_limit)
            jars[path.name if path.name not in jars else f"{artifact.group}.{path.name}"] = path
        return jars

    def _folder(self, order: Order) -> Path:
        settings = self._settings
        folder = order.folder or settings.maven_repository
        folder = folder or configured_folder(settings.maven_settings, settings.maven_home)
        if folder is None or not folder.is_dir():
            raise DependenciesFailed(
                "pom.xml needs a local Maven repository, and there is none. Name its folder in "
                "SOUNDSTAGE_MAVEN_REPOSITORY, or as localRepository in Maven's settings.xml.",
                reason="configuration",
            )
        return folder

    async def collect(self, order: Order, image: str, target: BinaryIO) -> Collected:
        """Writes the jars to ``target``. DependenciesFailed."""
        del image
        jars = await asyncio.to_thread(self._jars, order)
        await asyncio.to_thread(_pack, jars, target)
        return Collected(output="\n".join(sorted(jars)))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pack(jars: dict[str, Path], target: BinaryIO) -> None:
    for name, path in sorted(jars.items()):
        content = path.read_bytes()
        target.write(tarstream.header(tarstream.Entry(name, tarstream.REGULAR, len(content), False, "")))
        target.write(content + tarstream.padding(len(content)))
    target.write(tarstream.END_OF_ARCHIVE)
