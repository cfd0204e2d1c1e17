"""Which languages a tree is written in, told by the names of its files."""

from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath

from sandbox.base import IGNORED
from sandbox.languages import LANGUAGES, Language

ROOT_MANIFEST = 1000
"""A manifest at the top outweighs any number of files; one further down counts as some files do."""
INNER_MANIFEST = 5
MOST_FILES = 500
SUFFIXES = {suffix: entry for entry in LANGUAGES.values() for suffix in entry.suffixes}
MANIFESTS = {name: entry for entry in LANGUAGES.values() for name in entry.manifests}


def detect(paths: Iterable[str]) -> tuple[Language, ...]:
    """The languages of a tree, most likely first; none where no file tells. ``paths`` are relative, with ``/``.

    What was installed or built counts for nothing. Of two languages that both have a manifest at the top, the one
    with more files comes first.
    """
    files: Counter[str] = Counter()
    manifests: Counter[str] = Counter()
    for text in paths:
        path = PurePosixPath(text)
        if not _is_source(path):
            continue
        if written := language_of(text):
            files[written.name] += 1
        if found := MANIFESTS.get(path.name):
            manifests[found.name] = max(
                manifests[found.name], ROOT_MANIFEST if len(path.parts) == 1 else INNER_MANIFEST
            )
    scores = {name: manifests[name] + min(MOST_FILES, files[name]) for name in {*files, *manifests}}
    order = list(LANGUAGES)
    return tuple(LANGUAGES[name] for name in sorted(scores, key=lambda name: (-scores[name], order.index(name))))


def language_of(path: str) -> Language | None:
    """The language of a file by its name; None for a file of none, and for what was installed or built."""
    place = PurePosixPath(path)
    found = SUFFIXES.get(place.suffix)
    return found if found and _is_source(place) and found.build_output.isdisjoint(place.parts) else None


def _is_source(path: PurePosixPath) -> bool:
    return IGNORED.isdisjoint(path.parts) and path.parts[:1] != ("vendor",)
