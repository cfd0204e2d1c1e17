"""What each image of ours that an engine has is for, and which of them may go."""

from enum import StrEnum

from sandbox import images
from sandbox.image_engine import OWN_BASE, ImageEngine, ImageInfo

LAYERS = f"{images.REPOSITORY}-deps-"
"""What the tags of installed dependencies begin with; the language follows."""
BASE_LABEL = "soundstage.dependencies.base"
"""The image that a layer of dependencies lies upon."""


class Use(StrEnum):
    """What an image is to this version of Soundstage."""

    LANGUAGE = "language"
    BASE = "base"
    LAYER = "layer"
    SUPERSEDED = "superseded"
    FOREIGN = "foreign"


def use_of(image: ImageInfo) -> Use:
    """What an image is for. Layers of dependencies are superseded with the language's image that they lie upon."""
    if image.tag == OWN_BASE:
        return Use.BASE
    if image.tag in _wanted():
        return Use.LANGUAGE
    if image.tag.startswith(LAYERS):
        base = image.labels.get(BASE_LABEL, "")
        # Layers of before there was that label are found by no version any more.
        return Use.SUPERSEDED if not base or _is_of_another_version(base) else Use.LAYER
    return Use.SUPERSEDED if _is_of_another_version(image.tag) else Use.FOREIGN


def _wanted() -> set[str]:
    return {images.tag(language) for language in images.languages()}


def _is_of_another_version(tag: str) -> bool:
    repositories = {wanted.partition(":")[0] for wanted in _wanted()}
    return tag.partition(":")[0] in repositories and tag not in _wanted()


async def removable(engine: ImageEngine, layers: bool = False) -> list[ImageInfo]:
    """What the engine has and this version does not use; with ``layers`` all installed dependencies as well.

    Layers come first: an image is gone only with the last that lies upon it.
    """
    may_go = {Use.SUPERSEDED, Use.LAYER} if layers else {Use.SUPERSEDED}
    there = [image for image in await engine.images(f"{images.REPOSITORY}-") if use_of(image) in may_go]
    return sorted(there, key=lambda image: (not image.tag.startswith(LAYERS), image.tag))
