"""``soundstage images``."""

import asyncio
from pathlib import Path

from app.settings import Settings
from domain.errors import UsageError
from domain.text import plain
from sandbox import images
from sandbox.image_engine import ImageEngine
from sandbox.languages import language


async def build_images(
    settings: Settings, languages: tuple[str, ...], base: str | None, ca_bundle: Path | None
) -> None:
    """Builds the images of the languages that are missing, of all when none is named. UsageError, ImageBuildFailed."""
    wanted = [language(name).name for name in languages] or images.languages()
    if ca_bundle is not None and not await asyncio.to_thread(ca_bundle.is_file):
        raise UsageError(f"{ca_bundle} is no file. Give a CA bundle in PEM form with --ca-bundle.")
    build = images.BuildSettings(
        base=base, ca_bundle=ca_bundle or settings.trusted_bundle(), arguments=settings.build_arguments
    )
    for engine in _engines(settings):
        for name in wanted:
            async for line in images.build(engine, name, build):
                print(plain(line), flush=True)


def _engines(settings: Settings) -> list[ImageEngine]:
    return [ImageEngine(address.host) for address in settings.engines]


async def list_images(settings: Settings) -> None:
    """Prints the images that are wanted and those that are there."""
    wanted = {images.tag(name) for name in images.languages()}
    for address, engine in zip(settings.engines, _engines(settings), strict=True):
        if len(settings.engines) > 1:
            print(f"{plain(address.host or 'the default engine')}:")
        there = {image.tag: image.size for image in await engine.images(f"{images.REPOSITORY}-")}
        for tag in sorted(wanted | set(there)):
            state = "not built: soundstage images build" if tag not in there else f"{there[tag] / 2**20:,.0f} MiB"
            note = "" if tag in wanted else "  (not used by this version)"
            print(f"{tag:<44} {state}{note}")


async def prune_images(settings: Settings, dry_run: bool) -> None:
    """Removes images of other versions of Soundstage that no container uses; ``dry_run`` only names them."""
    for engine in _engines(settings):
        found = await images.superseded(engine)
        if not found:
            print("There is no image that this version does not use.")
        for image in found:
            if dry_run:
                print(f"{image.tag} would be removed ({image.size / 2**20:,.0f} MiB)")
            elif await engine.remove(image.tag):
                print(f"{image.tag} is removed ({image.size / 2**20:,.0f} MiB)")
            else:
                print(f"{image.tag} is kept: a container uses it")
