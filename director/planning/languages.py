"""The language and the framework of a task, told by its request and its files."""

import re
from collections.abc import Iterable

from domain.files import FileTree
from domain.text import plain
from sandbox.detection import detect, language_of
from sandbox.languages import LANGUAGES, PYTHON, Language

READ_CHARACTERS = 8_000
READ_BYTES = 64 * 1024

NAMED = {
    "python": re.compile(r"\bpython3?\b|\bpytest\b|\bdjango\b|\bflask\b|\bfastapi\b", re.IGNORECASE),
    "typescript": re.compile(r"\btypescript\b|\bjavascript\b|\bnode\.?js\b|\bdeno\b|\breact\b|\bvue\b", re.IGNORECASE),
    "java": re.compile(r"\bJava\b(?!\s?Script)|\bJUnit\b|\bspring boot\b|\bMaven\b"),
    "go": re.compile(
        r"\bgolang\b|\bgo\.mod\b|\b(?:in|using|with|idiomatic) Go\b"
        r"|\bGo (?:module|package|program|function|code|test|http)"
    ),
}
PATH = re.compile(r"(?<![\w/@-])((?:[\w.-]{1,60}/){0,8}[\w-]{1,60}\.\w{1,5})\b")
FRAMEWORKS = {
    "python": ("pytest", "unittest", "django", "flask", "fastapi"),
    "typescript": ("vitest", "jest", "mocha", "node:test", "express", "react"),
    "java": ("org.junit.jupiter", "org.junit.Test", "testng", "springframework"),
    "go": ("testify", "testing"),
}
TITLES = {"org.junit.jupiter": "JUnit 5", "org.junit.Test": "JUnit 4", "springframework": "Spring"}
"""Frameworks whose names are not what stands in files."""


def find_language(prompt: str, files: FileTree) -> Language:
    """The language of the files; without any, that of the request; without that, Python."""
    return next(iter(detect(files)), None) or _named(prompt[:READ_CHARACTERS]) or PYTHON


def _named(prompt: str) -> Language | None:
    places = {name: found.start() for name, pattern in NAMED.items() if (found := pattern.search(prompt)) is not None}
    if places:
        return LANGUAGES[min(places, key=lambda name: places[name])]
    return next(filter(None, map(language_of, PATH.findall(prompt))), None)


def find_frameworks(files: FileTree, language: Language) -> tuple[str, ...]:
    """The frameworks that manifests and tests of a tree name, those of the language only, in its own order."""
    text = "\n".join(_told(files, language))
    found = (name for name in FRAMEWORKS[language.name] if re.search(rf"(?<![\w.]){re.escape(name)}(?![\w-])", text))
    return tuple(TITLES.get(name, name) for name in found)


def _told(files: FileTree, language: Language) -> Iterable[str]:
    for path, file in files.items():
        name = path.rsplit("/", 1)[-1]
        if file.link is None and (name in language.manifests or "test" in path.lower()):
            yield plain(file.content[:READ_BYTES].decode(errors="replace"))
