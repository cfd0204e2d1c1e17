"""Small trees whose tags are known without a parser, and strategies for them."""

import json
from collections.abc import Iterable, Mapping

from hypothesis import strategies as st

from domain.files import File
from mcp_server.code.symbol import Symbol
from mcp_server.repo_map.file_tags import FileTags, file_tags

NAMES = ["alpha", "beta", "gamma", "delta", "epsilon", "run"]
PATHS = [f"{folder}{name}.py" for folder in ("", "src/", "src/deep/") for name in ("a", "b", "c")]


def kept(symbols: tuple[Symbol, ...], references: Mapping[str, int], members: Mapping[str, int]) -> FileTags:
    """What is kept of a file in which a worker found this."""
    found = file_tags(json.dumps([symbols, references, members]).encode())
    assert found is not None
    return found


def tags_of(defines: Iterable[str] = (), uses: Mapping[str, int] | None = None) -> FileTags:
    """A file that defines functions and uses names."""
    symbols = tuple(Symbol("function", name, f"def {name}()", 1, 1, None) for name in defines)
    return kept(symbols, uses or {}, {})


def source_of(defines: Iterable[str], imports: Iterable[str]) -> bytes:
    """The text of such a file."""
    lines = [f"from somewhere import {name}\n{name}()\n" for name in imports]
    return "".join([*lines, *(f"def {name}(argument): pass\n" for name in defines)]).encode()


names = st.lists(st.sampled_from(NAMES), max_size=4, unique=True)
sources = st.builds(source_of, names, names)
files = st.builds(lambda content: File(content=content), sources)
trees = st.dictionaries(st.sampled_from([*PATHS, "README.md"]), files, max_size=8)

kinds = st.sampled_from(["class", "function", "method", "field", "constant", "impl"])
texts = st.text(max_size=30) | st.sampled_from(NAMES)


@st.composite
def symbols(draw: st.DrawFn) -> tuple[Symbol, ...]:
    """Any symbols, each with a parent before it or none."""
    found: list[Symbol] = []
    for index in range(draw(st.integers(0, 8))):
        parent = draw(st.none() | st.integers(0, index - 1)) if index else None
        found.append(Symbol(draw(kinds), draw(texts), draw(texts), index + 1, index + 1, parent))
    return tuple(found)


uses = st.dictionaries(st.sampled_from(NAMES), st.integers(1, 9), max_size=4)
any_tags = st.builds(kept, symbols(), uses, uses)
