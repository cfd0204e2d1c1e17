"""In which file a function is defined, as the plan or the tree says."""

import re
from collections.abc import Collection, Iterable

from domain.files import FileTree
from domain.plan import StubFile
from sandbox.languages import language

MAX_SOURCE_BYTES = 1024 * 1024
DEFINITIONS = {
    "python": r"^(?:async[ \t]+)?def[ \t]+(NAME)[ \t]*\(",
    "typescript": r"^export[ \t]+(?:default[ \t]+)?(?:async[ \t]+)?(?:function\*?|const|let)[ \t]+(NAME)\b"
    r"|^(?:module\.)?exports\.(NAME)[ \t]*="
    r"|^(?:async[ \t]+)?(?:function|const)[ \t]+(NAME)\b",
    "java": r"^[ \t]{1,40}(?!return\b|throw\b|else\b|new\b)(?:[\w<>\[\],.?]{1,80}[ \t]{1,4}){1,8}(NAME)[ \t]*\(",
    "go": r"^func[ \t]+(NAME)[ \t]*\(",
}
"""How a definition that others can use begins, by language. Sources are hostile: nothing parses them here."""

TESTS = re.compile(
    r"(?:^|/)(?:tests?|__tests__|node_modules)/|(?:^|/)(?:test_|conftest)|[._](?:test|spec)\.|Test\.java$"
)


def homes(names: Collection[str], planned: Iterable[StubFile], tree: FileTree, name: str) -> dict[str, str]:
    """Function -> the path of the one file that defines it. What the plan names comes before what the tree holds."""
    found: dict[str, set[str]] = {}
    for file in planned:
        if _is_code(file.path, name):
            for function in names:
                signed = re.compile(rf"(?<![\w.]){re.escape(function)}\s*(?:<[^()]*>)?\(")
                if any(map(signed.search, file.signatures)):
                    found.setdefault(function, set()).add(file.path)
    for path, functions in _defined(set(names) - set(found), tree, name):
        for function in functions:
            found.setdefault(function, set()).add(path)
    return {function: paths.pop() for function, paths in found.items() if len(paths) == 1}


def _defined(names: Collection[str], tree: FileTree, name: str) -> Iterable[tuple[str, set[str]]]:
    if not names:
        return
    wanted = "|".join(map(re.escape, sorted(names)))
    pattern = re.compile(DEFINITIONS[name].replace("NAME", wanted), re.MULTILINE)
    for path, file in tree.items():
        if _is_code(path, name) and file.link is None and len(file.content) <= MAX_SOURCE_BYTES:
            text = file.content.decode(errors="replace")
            yield path, {part for match in pattern.finditer(text) for part in match.groups() if part}


def _is_code(path: str, name: str) -> bool:
    return any(path.endswith(suffix) for suffix in language(name).suffixes) and not TESTS.search(path)
