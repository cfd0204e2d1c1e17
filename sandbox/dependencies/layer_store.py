"""Where layers are kept: as images, on every engine that sandboxes run on."""

from collections.abc import Sequence
from typing import BinaryIO

from domain.errors import EngineUnavailable, ImageMissing
from sandbox.image_engine import ImageEngine, ImageFacts


class LayerStore:
    """Looks at all engines at once. One that does not answer is passed over while another does."""

    def __init__(self, engines: Sequence[ImageEngine]) -> None:
        self._engines = tuple(engines)

    async def platform(self, base: str) -> str:
        """What a base image runs on. ImageMissing when no engine has it, EngineUnavailable when none answers."""
        for _, facts in await self._facts(base):
            if facts is not None:
                return facts.platform
        raise ImageMissing(f"The sandbox image {base} is not built. Build it with: soundstage images build")

    async def find(self, tag: str) -> ImageFacts | None:
        """What is known of a layer that every engine has; None when one lacks it."""
        found = [facts for _, facts in await self._facts(tag)]
        return found[0] if all(found) else None

    async def add(self, context: BinaryIO, tag: str, labels: dict[str, str]) -> None:
        """Builds a layer on every engine that lacks it. ImageBuildFailed."""
        for engine, facts in await self._facts(tag):
            if facts is None:
                context.seek(0)
                await engine.build_layer(context, tag, labels)

    async def _facts(self, tag: str) -> list[tuple[ImageEngine, ImageFacts | None]]:
        found: list[tuple[ImageEngine, ImageFacts | None]] = []
        trouble: EngineUnavailable | None = None
        for engine in self._engines:
            try:
                found.append((engine, await engine.facts(tag)))
            except EngineUnavailable as error:
                trouble = error
        if not found:
            raise trouble or EngineUnavailable
        return found
