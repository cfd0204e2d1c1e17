"""The public surface of a project: what other code can use, by file."""

from collections.abc import Iterable

from director.evidence.test_paths import belongs_to_tests
from domain.files import FileTree
from mcp_server.code.symbol import Symbol, Tags
from mcp_server.parsers.parsers import Parsers, decode_tags


async def lost_names(parsers: Parsers, before: FileTree, after: FileTree) -> tuple[str, ...]:
    """What was public before, as ``path: name``, and is neither defined nor imported there any more.

    ParserUnavailable.
    """
    changed = sorted(path for path in before if not belongs_to_tests(path) and before[path] != after.get(path))
    there = [_there(path, after) for path in changed]
    old = await _tags(parsers, before, changed)
    new = await _tags(parsers, after, [path for path in there if path])
    lost: list[str] = []
    for path, place in zip(changed, there, strict=True):
        found = new.get(place)
        names = public(found) | set(found.references) if found is not None else set[str]()
        lost += [f"{path}: {name}" for name in sorted(public(old.get(path)) - names)]
    return tuple(lost)


def public(tags: Tags | None) -> set[str]:
    """The dotted names that a file gives to others: all but those with an underscore in front, and what is in calls."""
    return {_dotted(one, tags.symbols) for one in tags.symbols if _is_public(one, tags.symbols)} if tags else set()


def _there(path: str, after: FileTree) -> str:
    """The file that has the place of another one: itself, or a package of its name."""
    package = path.removesuffix(".py") + "/__init__.py"
    return path if path in after else package if package in after else ""


async def _tags(parsers: Parsers, tree: FileTree, paths: Iterable[str]) -> dict[str, Tags | None]:
    wanted = [path for path in paths if tree[path].link is None]
    replies = await parsers.read([(path, tree[path].content) for path in wanted])
    return {path: decode_tags(replies.get(at)) for at, path in enumerate(wanted)}


def _around(one: Symbol, symbols: tuple[Symbol, ...]) -> list[Symbol]:
    around = [one]
    while around[-1].parent is not None:
        around.append(symbols[around[-1].parent])
    return around[::-1]


def _is_public(one: Symbol, symbols: tuple[Symbol, ...]) -> bool:
    *outer, _ = around = _around(one, symbols)
    inside_code = any(part.kind in {"function", "method", "constructor"} for part in outer)
    return not inside_code and not any(part.name.startswith("_") for part in around)


def _dotted(one: Symbol, symbols: tuple[Symbol, ...]) -> str:
    return ".".join(part.name for part in _around(one, symbols))
