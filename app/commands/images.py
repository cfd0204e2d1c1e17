"""``soundstage images``."""

import asyncio
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from app.settings import Settings
from domain.errors import UsageError
from domain.text import plain, public_url
from sandbox import images
from sandbox.image_engine import ImageEngine
from sandbox.image_uses import Use, removable, use_of
from sandbox.languages import language

NOTES = {
    Use.LANGUAGE: "",
    Use.BASE: "  (what the others are built on)",
    Use.LAYER: "  (installed dependencies)",
    Use.SUPERSEDED: "  (not used by this version)",
    Use.FOREIGN: "  (not one of Soundstage's)",
}


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
    for engine in _announced(settings):
        there = {image.tag: image for image in await engine.images(f"{images.REPOSITORY}-")}
        for tag in sorted({*there, *map(images.tag, images.languages())}):
            if tag in there:
                print(f"{tag:<44} {there[tag].size / 2**20:,.0f} MiB{NOTES[use_of(there[tag])]}")
            else:
                print(f"{tag:<44} not built: soundstage images build")


def _announced(settings: Settings) -> Iterator[ImageEngine]:
    """The engines; the name of each is printed before its turn when there are several."""
    for address, engine in zip(settings.engines, _engines(settings), strict=True):
        if len(settings.engines) > 1:
            print(f"{plain(address.host or 'the default engine')}:")
        yield engine


async def prune_images(settings: Settings, dry_run: bool, layers: bool) -> None:
    """Removes images of other versions of Soundstage that no container uses, and the dependencies on top of them.

    ``dry_run`` only names them; with ``layers`` all installed dependencies go.
    """
    for engine in _announced(settings):
        found = await removable(engine, layers)
        if not found:
            print("There is nothing to remove.")
        for image in found:
            if dry_run:
                print(f"{image.tag} would be removed ({image.size / 2**20:,.0f} MiB)")
            elif await engine.remove(image.tag):
                print(f"{image.tag} is removed ({image.size / 2**20:,.0f} MiB)")
            else:
                print(f"{image.tag} is kept: a container uses it")
