"""What the manifests of a project declare: versions of languages, and how its tests are run."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from domain.base import Value
from domain.files import FileTree
from domain.text import one_line
from mcp_server.context.documents import read_text

READ_BYTES = 256 * 1024
VERSION_CHARACTERS = 40


class Declared(Value):
    """One thing that a file says: the version of ``what``, or a command that runs the tests, for which that is
    empty."""

    what: str = ""
    value: str
    path: str


Reader = Callable[[str], Iterator[tuple[str, object]]]
"""Pairs of what and value in a manifest's text. ValueError, RecursionError for garbage."""


def declared(files: FileTree, path: str) -> list[Declared]:
    """What one file declares; nothing where it is no manifest that we know, or garbage."""
    reader = READERS.get(PurePosixPath(path).name) or READERS_BY_SUFFIX.get(PurePosixPath(path).suffix)
    text = read_text(files[path], READ_BYTES) if reader is not None else None
    if reader is None or text is None:
        return []
    try:
        pairs = list(reader(text))
    except (ValueError, RecursionError):
        return []
    return [
        Declared(what=what, value=one_line(value, VERSION_CHARACTERS), path=path)
        for what, value in pairs
        if isinstance(value, str) and value.strip()
    ]


def is_manifest(path: str) -> bool:
    """Whether a file of that name may declare something."""
    place = PurePosixPath(path)
    return place.name in READERS or place.suffix in READERS_BY_SUFFIX


def _at(data: object, *keys: str) -> object:
    """What is below the keys, or None, whatever the data is."""
    for key in keys:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data


def _pyproject(text: str) -> Iterator[tuple[str, object]]:
    data: dict[str, Any] = tomllib.loads(text)
    poetry = _at(data, "tool", "poetry", "dependencies", "python")
    yield "Python", _at(data, "project", "requires-python") or _at(poetry, "version") or poetry
    if "pytest" in text:
        yield "", "python3 -m pytest"


def _setup(text: str) -> Iterator[tuple[str, object]]:
    yield from _matched("Python", r"python_requires\s*=\s*[\"']?([^\"'\n#]+)")(text)
    if "[tool:pytest]" in text:
        yield "", "python3 -m pytest"


def _package(text: str) -> Iterator[tuple[str, object]]:
    data = json.loads(text)
    manager = _at(data, "packageManager")
    yield "Node.js", _at(data, "engines", "node")
    yield "TypeScript", _at(data, "devDependencies", "typescript") or _at(data, "dependencies", "typescript")
    yield "package manager", manager
    script = _at(data, "scripts", "test")
    if isinstance(script, str) and "no test specified" not in script:
        name = manager.split("@")[0] if isinstance(manager, str) else "npm"
        yield "", f"{name if name in {'npm', 'pnpm', 'yarn', 'bun'} else 'npm'} test"


def _cargo(text: str) -> Iterator[tuple[str, object]]:
    data = tomllib.loads(text)
    yield "Rust", _at(data, "package", "rust-version")
    yield "Rust edition", _at(data, "package", "edition")
    yield "", "cargo test"


def _composer(text: str) -> Iterator[tuple[str, object]]:
    data = json.loads(text)
    yield "PHP", _at(data, "require", "php")
    if _at(data, "scripts", "test"):
        yield "", "composer test"


def _tool_versions(text: str) -> Iterator[tuple[str, object]]:
    for line in text.splitlines()[:20]:
        name, _, version = line.partition("#")[0].strip().partition(" ")
        if name and version.strip():
            yield one_line(name, VERSION_CHARACTERS), version


def _first_line(what: str) -> Reader:
    return lambda text: iter([(what, text.strip().split("\n")[0])])


def _matched(what: str, pattern: str, command: str = "") -> Reader:
    """A reader by a regular expression; ``command`` runs the tests wherever there is such a file."""
    compiled = re.compile(pattern, re.MULTILINE)

    def read(text: str) -> Iterator[tuple[str, object]]:
        if (found := compiled.search(text)) is not None:
            yield what, found[1]
        if command:
            yield "", command

    return read


def _present(pattern: str, command: str) -> Reader:
    """A reader of a command that runs the tests where the expression occurs."""
    compiled = re.compile(pattern, re.MULTILINE)
    return lambda text: iter([("", command)] if compiled.search(text) else [])


_GRADLE = _matched("Java", r"(?:languageVersion\D{1,60}|(?:source|target)Compatibility\D{1,40})(\d+)", "gradle test")
READERS: dict[str, Reader] = {
    "pyproject.toml": _pyproject,
    "setup.cfg": _setup,
    "setup.py": _setup,
    "pytest.ini": _present(r"\[pytest\]", "python3 -m pytest"),
    "tox.ini": _present(r"\[(?:tox|testenv)", "tox"),
    "noxfile.py": _present(r"nox", "nox"),
    ".python-version": _first_line("Python"),
    "package.json": _package,
    ".nvmrc": _first_line("Node.js"),
    ".node-version": _first_line("Node.js"),
    "go.mod": _matched("Go", r"^go\s+(\S+)", "go test ./..."),
    "pom.xml": _matched(
        "Java", r"<(?:maven\.compiler\.(?:release|source)|java\.version)>\s*([^<\s]{1,40})", "mvn test"
    ),
    "build.gradle": _GRADLE,
    "build.gradle.kts": _GRADLE,
    "Cargo.toml": _cargo,
    "composer.json": _composer,
    "Gemfile": _matched("Ruby", r"^[ \t]*ruby[ \t]+[\"']([^\"']+)"),
    ".ruby-version": _first_line("Ruby"),
    ".rspec": _present(r"", "bundle exec rspec"),
    "CMakeLists.txt": _matched("CMake", r"cmake_minimum_required\s*\(\s*VERSION\s+([^\s)]+)"),
    ".tool-versions": _tool_versions,
    "Makefile": _present(r"^test\s*:", "make test"),
    "justfile": _present(r"^test\b[^\n=]*:", "just test"),
}
READERS_BY_SUFFIX: dict[str, Reader] = {
    ".csproj": _matched(".NET", r"<TargetFrameworks?>\s*([^<\s]{1,40})", "dotnet test"),
}
