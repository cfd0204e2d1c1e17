"""The environment of a project as context: its languages, the versions that it asks for, how its tests are run."""

import asyncio
from collections import Counter

from domain.base import Value
from domain.files import FileTree, is_test_file
from domain.text import one_line
from mcp_server.code.languages import language_of
from mcp_server.context.manifests import Declared, declared, is_manifest
from mcp_server.context.provider import Topic, marked
from sandbox.base import IGNORED
from sandbox.detection import detect

MOST_MANIFESTS = 30
DEEPEST = 2
LISTED = 12


class Environment(Value):
    """``files`` counts those of each language, the most first. ``supported`` are the languages that sandboxes are made
    for, the likeliest first. ``versions`` and ``tests`` are what manifests declare, those at the top first."""

    files: dict[str, int]
    supported: tuple[str, ...]
    versions: tuple[Declared, ...]
    tests: tuple[Declared, ...]


def environment_of(files: FileTree) -> Environment:
    """The environment of a tree, told by its files alone: nothing is run."""
    own = [path for path in sorted(files) if IGNORED.isdisjoint(path.split("/")) and files[path].link is None]
    counted = Counter(language.name for path in own if (language := language_of(path)) is not None)
    manifests = [path for path in own if is_manifest(path) and path.count("/") <= DEEPEST]
    manifests.sort(key=lambda path: (path.count("/"), path))
    found = [one for path in manifests[:MOST_MANIFESTS] for one in declared(files, path)]
    tests = [one for one in found if not one.what]
    if not any("pytest" in one.value for one in tests) and (first := next(filter(is_test_file, own), None)):
        tests.append(Declared(value="python3 -m pytest", path=first))
    return Environment(
        files=dict(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))),
        supported=tuple(language.title for language in detect(own)),
        versions=tuple(one for one in found if one.what),
        tests=tuple(tests),
    )


class EnvironmentContext:
    """Implements ``mcp_server.context.provider.ContextProvider``."""

    name = "environment"

    async def give(self, files: FileTree, topic: Topic, budget_tokens: int) -> str:
        """Languages, versions, test commands."""
        del topic
        found = await asyncio.to_thread(environment_of, files)
        return marked("the repository's environment", _in_words(found), budget_tokens)


def _in_words(found: Environment) -> str:
    lines = []
    if found.files:
        counts = (f"{name} {number}" for name, number in list(found.files.items())[:LISTED])
        lines.append(f"Source files by language: {', '.join(counts)}")
    if found.supported:
        lines.append(f"Sandboxes are made for: {', '.join(found.supported)}")
    if found.versions:
        lines.append(
            f"Declared: {'; '.join(f'{one.what} {one.value} ({_place(one)})' for one in found.versions[:LISTED])}"
        )
    if found.tests:
        lines.append(
            f"Tests seem to be run by: {'; '.join(f'{one.value} ({_place(one)})' for one in found.tests[:LISTED])}"
        )
    return "\n".join(lines)


def _place(one: Declared) -> str:
    return one_line(one.path, 100)
