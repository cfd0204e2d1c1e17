"""A person's own command that checks the work: by which of the project's files it judges."""

import re
from collections.abc import Collection

from director.evidence.test_paths import belongs_to_tests

WORD = re.compile(r"[\w./@+-]+")
SCRIPTS = (".sh", ".bash", ".zsh", ".bat", ".ps1", ".mk")
NAMES = frozenset({"makefile", "gnumakefile", "justfile", "taskfile.yml", "tox.ini", "noxfile.py"})


def judged_by(command: str, files: Collection[str]) -> set[str]:
    """The files that a command names, itself or by a folder, and that judge: scripts and tests, and not the code that
    they run."""
    words = {word.removeprefix("./").rstrip("/") for word in WORD.findall(command)} - {"", "."}
    named = {path for path in files if any(path == word or path.startswith(f"{word}/") for word in words)}
    runner = {path for path in files if path.lower() in NAMES and path.lower() in _runs(words)}
    return {path for path in named if belongs_to_tests(path) or path.endswith(SCRIPTS)} | runner


def _runs(words: Collection[str]) -> set[str]:
    """The files by which a program works that a command runs."""
    by = {"make": {"makefile", "gnumakefile"}, "just": {"justfile"}, "tox": {"tox.ini"}, "nox": {"noxfile.py"}}
    return set().union(*(files for program, files in by.items() if program in words))
