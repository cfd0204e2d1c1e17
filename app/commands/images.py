"""``soundstage images``."""

import asyncio
from pathlib import Path

from app.settings import Settings
from domain.errors import UsageError
from domain.text import plain
from sandbox import images
from sandbox.image_engine import ImageEngine


async def build_images(settings: Settings, base: str | None, ca_bundle: Path | None) -> None:
    """Builds every image that is missing; says nothing more than it must when all are there."""
    if ca_bundle is not None and not await asyncio.to_thread(ca_bundle.is_file):
        raise UsageError(f"{ca_bundle} is no file. Give a CA bundle in PEM form with --ca-bundle.")
    build = images.BuildSettings(
        base=base, ca_bundle=ca_bundle or settings.trusted_bundle(), arguments=settings.build_arguments
    )
    engine = ImageEngine(settings.docker_host)
    for language in images.languages():
        async for line in images.build(engine, language, build):
            print(plain(line), flush=True)


async def list_images(settings: Settings) -> None:
    """Prints the images that are wanted and those that are there."""
    engine = ImageEngine(settings.docker_host)
    there = {image.tag: image.size for image in await engine.images(f"{images.REPOSITORY}-")}
    wanted = {images.tag(language) for language in images.languages()}
    for tag in sorted(wanted | set(there)):
        state = "not built: soundstage images build" if tag not in there else f"{there[tag] / 2**20:,.0f} MiB"
        note = "" if tag in wanted else "  (not used by this version)"
        print(f"{tag:<44} {state}{note}")
