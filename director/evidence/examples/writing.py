"""Test files made of examples, in the framework of the language."""

import hashlib
import posixpath
from collections.abc import Callable, Sequence
from importlib import resources
from typing import NamedTuple

from director.evidence.examples import go_tests, java_tests, python_tests, typescript_tests
from director.evidence.examples.example import Example
from director.evidence.examples.homes import homes
from director.evidence.examples.naming import Numbered
from domain.files import File, FileTree
from domain.plan import StubFile

Named = tuple[str, Example, str]
"""A test's name, its example, and the file in which the function stands."""


class Framework(NamedTuple):
    """How a language's tests are written. ``path`` takes the file of the first function, and ``{token}`` in it."""

    usable: Callable[[Example, str], bool]
    write: Callable[[list[Named], str, str, FileTree], str]
    path: str
    in_folder: bool = False


FRAMEWORKS = {
    "python": Framework(python_tests.usable, python_tests.write, python_tests.PATH),
    "typescript": Framework(typescript_tests.usable, typescript_tests.write, typescript_tests.PATH),
    "java": Framework(java_tests.usable, java_tests.write, java_tests.PATH),
    "go": Framework(go_tests.usable, go_tests.write, go_tests.PATH, in_folder=True),
}


def example_tests(
    examples: Sequence[Example], planned: Sequence[StubFile], tree: FileTree, language: str = "python"
) -> FileTree:
    """The test files for the examples, of those functions whose file is known; {} when there is none.

    ``tree`` holds the stubs already. The files take no other one's place, and their names are a digest of the examples.
    """
    framework = FRAMEWORKS.get(language)
    if framework is None:
        return {}
    where = homes({example.function for example in examples}, planned, tree, language)
    groups: dict[str, list[Named]] = {}
    names = Numbered()
    for example in examples:
        home = where.get(example.function)
        if home is not None and framework.usable(example, home):
            folder = posixpath.dirname(home) if framework.in_folder else ""
            groups.setdefault(folder, []).append((names.name(example), example, home))
    files = [_file(framework, language, folder, named, tree) for folder, named in groups.items()]
    return dict(files)


def _file(framework: Framework, language: str, folder: str, named: list[Named], tree: FileTree) -> tuple[str, File]:
    template = resources.files("director.evidence.examples").joinpath(f"templates/{language}.txt").read_text("utf-8")
    token = hashlib.sha256(repr([one.model_dump() for _, one, _ in named]).encode()).hexdigest()[:8]
    path = posixpath.join(folder, framework.path.format(token=token))
    while path in tree:
        token = hashlib.sha256(token.encode()).hexdigest()[:8]
        path = posixpath.join(folder, framework.path.format(token=token))
    return path, File(content=framework.write(named, template, path, tree).encode())
