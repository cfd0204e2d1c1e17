"""The dependencies phase: what a workspace asks for becomes one image layer on top of its language's image."""

import asyncio
import hashlib
import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from weakref import WeakValueDictionary

from domain.errors import DependenciesFailed
from sandbox import images
from sandbox.dependencies.installation import MOST_ENTRIES
from sandbox.dependencies.installed import Installed
from sandbox.dependencies.layer import Layer, write_context
from sandbox.dependencies.layer_store import LayerStore
from sandbox.dependencies.source import Collected, Order, Source
from sandbox.image_engine import ImageFacts
from sandbox.image_uses import BASE_LABEL, LAYERS
from sandbox.vetting import VettingLimits

VERSION = 2
"""Changes with whatever this phase does differently to the same manifests."""
FILES_LABEL, SIZE_LABEL = "soundstage.dependencies.files", "soundstage.dependencies.size"


class Dependencies:
    """Installs on demand. ``sources`` maps a language to where its packages come from; ``folder`` is what orders that
    name none install from in place of the network."""

    def __init__(self, store: LayerStore, sources: Mapping[str, Source], folder: Path | None = None) -> None:
        self._folder = folder
        self._store = store
        self._sources = sources
        # A lock is kept as long as somebody holds it or waits for it.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def manifest(self, language: str) -> str | None:
        """The file that asks for packages in a language; None where there is no package client for it."""
        source = self._sources.get(language)
        return source.manifest if source else None

    async def install(self, order: Order) -> Installed:
        """Installs what the tree's manifest asks for, or finds that it was done before.

        DependenciesFailed, HostileOutput, UsageError for wheels, ImageMissing, InfrastructureError.
        """
        started = time.monotonic()
        order = order.model_copy(update={"folder": order.folder or self._folder})
        source = self._source(order)
        base = order.image or images.tag(order.language)
        tag = await self._tag(source, order, base)
        turn = self._turns.setdefault(tag, asyncio.Lock())
        async with turn:
            if (known := await self._store.find(tag)) is not None:
                return _known(tag, known, time.monotonic() - started)
            collected, layer = await self._make(source, order, base, tag)
        return Installed(
            tag=tag,
            cached=False,
            seconds=time.monotonic() - started,
            files=layer.files,
            size=layer.size,
            contacts=collected.contacts,
            refused=layer.refused,
            output=collected.output,
            notes=collected.notes,
        )

    def _source(self, order: Order) -> Source:
        source = self._sources.get(order.language)
        if source is None:
            raise DependenciesFailed(
                f"No package client is known for {order.language!r}. There is one for: "
                f"{', '.join(sorted(self._sources))}. Run without --install.",
                reason="configuration",
            )
        if source.manifest not in order.tree:
            raise DependenciesFailed(
                f"The workspace has no {source.manifest}, so there is nothing to install. Run without --install.",
                reason="manifest",
            )
        return source

    async def _tag(self, source: Source, order: Order, base: str) -> str:
        platform = await self._store.platform(base)
        fingerprint = await asyncio.to_thread(source.fingerprint, order)
        key = json.dumps([VERSION, base, platform, source.place, fingerprint])
        return f"{LAYERS}{order.language}:{hashlib.sha256(key.encode()).hexdigest()[:16]}"

    async def _make(self, source: Source, order: Order, base: str, tag: str) -> tuple[Collected, Layer]:
        limits = VettingLimits(entries=MOST_ENTRIES, file_bytes=order.size_limit, total_bytes=order.size_limit)
        # Files without a name: whatever happens, nothing of them is left.
        with tempfile.TemporaryFile() as packed, tempfile.TemporaryFile() as context:
            collected = await source.collect(order, base, packed)
            packed.seek(0)
            dockerfile = f"FROM {base}\nCOPY layer/ {source.place}/\n"
            layer = await asyncio.to_thread(write_context, packed, context, dockerfile, limits)
            labels = {BASE_LABEL: base, FILES_LABEL: str(layer.files), SIZE_LABEL: str(layer.size)}
            await self._store.add(context, tag, labels)
        return collected, layer


def _known(tag: str, facts: ImageFacts, seconds: float) -> Installed:
    files, size = (int(facts.labels.get(label, "0")) for label in (FILES_LABEL, SIZE_LABEL))
    return Installed(tag=tag, cached=True, seconds=seconds, files=files, size=size)
