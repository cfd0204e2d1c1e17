"""The sandbox images: their content-addressed tags, and how they are built."""

import hashlib
import io
import tarfile
from collections.abc import AsyncIterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from pydantic import Field

from domain.base import Value
from domain.errors import UsageError
from sandbox.image_engine import BASE, ImageEngine

REPOSITORY = "soundstage"


class BuildSettings(Value):
    """``base`` replaces the usual base image; ``ca_bundle`` is a PEM file that downloads trust besides the usual
    ones; ``arguments`` are passed on to the build (proxies, package indexes)."""

    base: str | None = None
    ca_bundle: Path | None = None
    arguments: dict[str, str] = Field(default_factory=dict)


def languages() -> list[str]:
    """The languages that there is a Dockerfile for."""
    folders = resources.files("images").iterdir()
    return sorted(folder.name for folder in folders if folder.joinpath("Dockerfile").is_file())


@cache
def tag(language: str) -> str:
    """The tag of a language's image: it changes with every byte that goes into the image."""
    digest = hashlib.sha256()
    for path, content in sorted(_context(language).items()):
        digest.update(f"{path}\0{len(content)}\0".encode() + content)
    return f"{REPOSITORY}-{language}:{digest.hexdigest()[:16]}"


async def build(engine: ImageEngine, language: str, settings: BuildSettings) -> AsyncIterator[str]:
    """Builds a language's image where it is missing; yields what happens, line by line. ImageBuildFailed."""
    wanted = tag(language)
    if await engine.exists(wanted) and settings.base is None:
        yield f"{wanted} is up to date"
        return
    base = settings.base
    if base is None:
        async for line in engine.provide_base():
            yield line
        base = await engine.base()
    arguments = {"BASE": base or BASE} | settings.arguments
    bundle = settings.ca_bundle.read_bytes() if settings.ca_bundle else b""
    async for line in engine.build(_archive(_context(language) | {"ca/extra.pem": bundle}), wanted, arguments):
        yield line
    yield f"{wanted} is built"


def _context(language: str) -> dict[str, bytes]:
    folder = resources.files("images").joinpath(language)
    if language not in languages():
        raise UsageError(f"There is no image for {language!r}. Use one of: {', '.join(languages())}.")
    files = dict(_files(folder, ""))
    if b"COPY shared " in files["Dockerfile"]:
        files.update(_files(resources.files("images").joinpath("shared"), "shared/"))
    files.update(_files(resources.files("sandbox").joinpath("runner"), "runner/"))
    return files


def _files(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name != "__pycache__":
            found += _files(entry, f"{prefix}{entry.name}/")
        elif entry.is_file():
            found.append((prefix + entry.name, entry.read_bytes()))
    return found


def _archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in sorted(files.items()):
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
