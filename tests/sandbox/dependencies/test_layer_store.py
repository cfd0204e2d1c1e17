"""Layers on several engines."""

import gc
import io
import os
import secrets

import pytest

from domain.errors import EngineUnavailable, ImageMissing
from sandbox import images
from sandbox.dependencies.layer import write_context
from sandbox.dependencies.layer_store import LayerStore
from sandbox.image_engine import ImageEngine
from sandbox.vetting import VettingLimits
from tests.sandbox.dependencies.conftest import Phase
from tests.sandbox.dependencies.trees import archive, entry


async def test_an_engine_that_does_not_answer_is_passed_over_while_another_does(phase: Phase) -> None:
    gone = ImageEngine("unix:///nonexistent.sock")
    store, tag = LayerStore([gone, ImageEngine(os.environ.get("DOCKER_HOST"))]), images.tag("python")

    assert (await store.platform(tag)).startswith("linux/")
    assert await store.find(tag) is not None
    with pytest.raises(ImageMissing, match="images build"):
        await store.platform("soundstage-none:none")
    with pytest.raises(EngineUnavailable):
        await LayerStore([gone]).find(tag)
    gc.collect()


async def test_a_layer_is_built_where_it_is_missing_and_its_labels_are_found_again(phase: Phase) -> None:
    store, tag = LayerStore([phase.engine, phase.engine]), f"soundstage-test:{secrets.token_hex(6)}"
    context = io.BytesIO()
    write_context(
        archive(entry("a", b"1")), context, f"FROM {images.tag('python')}\nCOPY layer/ /opt/x/\n", VettingLimits()
    )
    try:
        assert await store.find(tag) is None
        await store.add(context, tag, {"soundstage.test": "yes"})
        await store.add(context, tag, {"soundstage.test": "no"})
        facts = await store.find(tag)
    finally:
        phase.place.client.remove_image(tag, force=True)

    assert facts is not None
    assert facts.labels["soundstage.test"] == "yes"
