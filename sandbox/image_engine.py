"""Pulling, making and building images through the Docker engine."""

import asyncio
import contextlib
import io
import queue
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import docker
import docker.errors
from pydantic import Field

from domain.base import Value
from domain.errors import ImageBuildFailed, InfrastructureError
from sandbox.engine import connect, engine_errors

BASE = "debian:bookworm-slim"
OWN_BASE = "soundstage-base:latest"
CALL_TIMEOUT_S = 60
PULL_TIMEOUT_S = 120
IMPORT_TIMEOUT_S = 600
BUILD_TIMEOUT_S = 1200
CONFLICT = 409


class ImageInfo(Value):
    """An image of ours; ``size`` is bytes."""

    tag: str
    size: int
    labels: dict[str, str] = Field(default_factory=dict)


class ImageFacts(Value):
    """What an image is for, as ``linux/amd64``, and its labels."""

    platform: str
    labels: dict[str, str]


class ImageEngine:
    """The calls that Soundstage makes of an engine for images."""

    def __init__(self, host: str | None = None) -> None:
        self._host = host

    @contextlib.contextmanager
    def _client(self, timeout_s: int = CALL_TIMEOUT_S) -> Iterator[docker.APIClient]:
        """A client for one call, which is closed behind it."""
        with engine_errors(), contextlib.closing(connect(self._host, timeout_s)) as client:
            yield client

    async def exists(self, tag: str) -> bool:
        """Whether the engine has the image."""
        return await self.facts(tag) is not None

    async def facts(self, tag: str) -> ImageFacts | None:
        """What the engine says of the image; None when it has none of that name."""

        def look() -> ImageFacts | None:
            with self._client() as client:
                try:
                    seen = client.inspect_image(tag)
                except docker.errors.ImageNotFound:
                    return None
                labels = (seen.get("Config") or {}).get("Labels") or {}
                return ImageFacts(platform=f"{seen.get('Os', '')}/{seen.get('Architecture', '')}", labels=labels)

        return await asyncio.to_thread(look)

    async def images(self, prefix: str) -> list[ImageInfo]:
        """The engine's images whose tag begins so."""

        def look() -> list[ImageInfo]:
            with self._client() as client:
                found = client.images()
            return sorted(
                (
                    ImageInfo(tag=tag, size=image["Size"], labels=image["Labels"] or {})
                    for image in found
                    for tag in image["RepoTags"] or []
                    if tag.startswith(prefix)
                ),
                key=lambda image: image.tag,
            )

        return await asyncio.to_thread(look)

    async def remove(self, tag: str) -> bool:
        """Removes a tag, and its image where that was the last one; False when a container uses it."""

        def work() -> bool:
            with self._client() as client:
                try:
                    client.remove_image(tag)
                except docker.errors.ImageNotFound:
                    return True
                except docker.errors.APIError as error:
                    if error.status_code == CONFLICT:
                        return False
                    raise
                return True

        return await asyncio.to_thread(work)

    async def base(self) -> str:
        """The base image that is there: the usual one, or the one we made."""
        return BASE if await self.exists(BASE) else OWN_BASE

    async def provide_base(self) -> AsyncIterator[str]:
        """Makes sure that there is a base image: pulls the usual one, or makes one where no registry answers."""
        if await self.exists(BASE) or await self.exists(OWN_BASE):
            return
        yield f"pulling {BASE}"
        try:
            async for line in _lines(self._pull):
                yield line
            return
        except InfrastructureError:
            await self.exists(BASE)  # an engine that is gone is said now
            yield "no image registry answers; making a base image with mmdebstrap instead"
        with tempfile.TemporaryDirectory(prefix="soundstage-base-") as folder:
            archive = Path(folder) / "base.tar"
            await _mmdebstrap(archive)
            await asyncio.to_thread(self._import, archive)
        yield f"{OWN_BASE} is made"

    def _pull(self) -> Iterator[dict[str, Any]]:
        repository, _, tag = BASE.partition(":")
        with self._client(PULL_TIMEOUT_S) as client:
            yield from client.pull(repository, tag=tag, stream=True, decode=True)

    def _import(self, archive: Path) -> None:
        repository, _, tag = OWN_BASE.partition(":")
        with self._client(IMPORT_TIMEOUT_S) as client:
            client.import_image_from_file(str(archive), repository=repository, tag=tag)

    async def build(self, context: bytes, tag: str, arguments: dict[str, str]) -> AsyncIterator[str]:
        """Builds an image from a tar of its context; yields the build's output. ImageBuildFailed."""
        async for line in self._build(io.BytesIO(context), tag, arguments, {}):
            yield line

    async def build_layer(self, context: BinaryIO, tag: str, labels: dict[str, str]) -> None:
        """Builds an image from a file that holds a tar of its context, and labels it. ImageBuildFailed."""
        async for _ in self._build(context, tag, {}, labels):
            pass

    def _build(
        self, context: BinaryIO, tag: str, arguments: dict[str, str], labels: dict[str, str]
    ) -> AsyncIterator[str]:
        def run() -> Iterator[dict[str, Any]]:
            with self._client(BUILD_TIMEOUT_S) as client:
                yield from client.build(
                    fileobj=context, custom_context=True, tag=tag, buildargs=arguments, decode=True,
                    rm=True, forcerm=True, labels={"soundstage.image": tag} | labels,
                )  # fmt: skip

        return _lines(run)


async def _lines(run: Callable[[], Iterator[dict[str, Any]]]) -> AsyncIterator[str]:
    """What a streaming call of the engine says, line by line; ImageBuildFailed with the last lines on an error."""
    said: queue.Queue[dict[str, Any] | BaseException | None] = queue.Queue()

    def pump() -> None:
        try:
            for item in run():
                said.put(item)
            said.put(None)
        except Exception as error:  # noqa: BLE001 - it crosses over to the waiting task, which raises it
            said.put(error)

    threading.Thread(target=pump, daemon=True).start()
    log: list[str] = []
    while (item := await asyncio.to_thread(said.get)) is not None:
        if isinstance(item, BaseException):
            raise item
        if "error" in item:
            tail = "\n".join([*log[-15:], item["error"].strip()])
            raise ImageBuildFailed(
                f"The sandbox image could not be built:\n{tail}\nWhere a proxy signs TLS anew, hand over its CA "
                "with --ca-bundle FILE; then run it again."
            )
        for line in str(item.get("stream") or item.get("status") or "").splitlines():
            if line.strip():
                log.append(line.strip())
                yield line.strip()


async def _mmdebstrap(archive: Path) -> None:
    program = shutil.which("mmdebstrap")
    if program is None:
        raise ImageBuildFailed(
            f"No image registry answers, so {BASE} cannot be pulled, and mmdebstrap, which could make a base image, "
            "is not installed. Install it (apt-get install mmdebstrap), or name a base image that the engine has "
            "with --base IMAGE."
        )
    options = ["--variant=minbase", "--include=python3,python3-pip,ca-certificates", _suite(), str(archive)]
    process = await asyncio.create_subprocess_exec(
        program, *options, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    _, stderr = await process.communicate()
    if process.returncode:
        tail = "\n".join(stderr.decode(errors="replace").splitlines()[-10:])
        raise ImageBuildFailed(f"mmdebstrap could not make a base image:\n{tail}\nSolve that and run it again.")


def _suite() -> str:
    """The host's own release, because its package sources and keys are at hand; Debian 12 where it has none."""
    release = Path("/etc/os-release")
    lines = release.read_text(encoding="utf-8").splitlines() if release.exists() else []
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    return values.get("VERSION_CODENAME", "bookworm").strip('"') or "bookworm"
