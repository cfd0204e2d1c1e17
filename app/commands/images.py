"""``soundstage images``."""

import asyncio
import urllib.parse
from pathlib import Path

from app.settings import Settings
from domain.errors import UsageError
from domain.text import plain, public_url
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
    refuse_secrets(settings.build_arguments)
    build = images.BuildSettings(
        base=base, ca_bundle=ca_bundle or settings.trusted_bundle(), arguments=settings.build_arguments
    )
    for engine in _engines(settings):
        for name in wanted:
            async for line in images.build(engine, name, build):
                print(plain(line), flush=True)


def refuse_secrets(arguments: dict[str, str]) -> None:
    """UsageError when a URL of a package index holds a password: the image's history would keep it."""
    for name, value in arguments.items():
        for url in value.split():
            parts = urllib.parse.urlsplit(url)
            if not name.upper().endswith("_PROXY") and (parts.username or parts.password):
                raise UsageError(
                    f"{name} names {public_url(url)} with a user name or password, which the image's history would "
                    "keep. Use an index that needs no login, or unset it for the build."
                )


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
