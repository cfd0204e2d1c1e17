"""The symbols of a source file, and the names that it refers to.

A pattern of a query captures a definition under its kind (``@function``) and its name under ``@name``. Its signature
ends at ``@body``, or else at the field ``body``. Where several patterns find the same definition, the first one counts.
What a file refers to is captured as ``@reference``, or as ``@member`` where it stands behind a dot.

In a language that imports by name, what another file defines can be used by its bare name only after it was imported
(``@import``), perhaps together with all else (``@import_all``). So nobody seems to use a function called ``print``.
"""

import re
from codecs import BOM_UTF8
from collections import Counter, defaultdict
from typing import NamedTuple

import tree_sitter

from domain.text import one_line, plain
from mcp_server.code.grammar import tag_query
from mcp_server.code.languages import Language, language_of
from mcp_server.code.parsing import Found, matches, parse
from mcp_server.code.symbol import CALLABLES, CONTAINERS, Symbol, Tags

MAX_SYMBOLS = 5_000
MAX_NAME_BYTES = 200
SIGNATURE_CHARACTERS = 160
SIGNATURE_BYTES = 1_000
"""So much is looked at for a signature, and a fifth of it for what stands before it on its line."""

MODIFIERS = re.compile(rb"[\w \t]*")
OPENING = re.compile(r"(?:\s*(?:=>|[{:=;,]))+$")
ANNOTATION_LINE = re.compile(rb"\s*(?:@|\[|#\[)[^\n]*\n\s*")
QUOTED = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'")
BRACKETS = str.maketrans(dict.fromkeys("([", "(") | dict.fromkeys(")]", ")"))


class Definition(NamedTuple):
    """Nodes of a definition. Sorting puts what is around before what is inside."""

    start: int
    end: int
    pattern: int
    kind: str
    node: tree_sitter.Node
    name: tree_sitter.Node
    body: int


def symbols(path: str, source: bytes) -> tuple[Symbol, ...] | None:
    """What a file defines; None for a language that we do not read, and a source that is too large or too slow."""
    found = tags(path, source)
    return found.symbols if found is not None else None


def tags(path: str, source: bytes) -> Tags | None:
    """What a file defines and refers to; None as for ``symbols``."""
    language = language_of(path)
    source = source.removeprefix(BOM_UTF8)
    tree = parse(language, source) if language is not None else None
    if language is None or tree is None:
        return None
    definitions = []
    uses: dict[str, Counter[bytes]] = defaultdict(Counter)
    for found in matches(tag_query(language), tree):
        if "name" in found.nodes:
            definitions.append(_definition(found))
        else:
            for kind, nodes in found.nodes.items():
                uses[kind].update(source[node.start_byte : node.end_byte] for node in nodes)
    return Tags(_symbols(source, definitions), _names(_references(language, uses)), _names(uses["member"]))


def _references(language: Language, uses: dict[str, Counter[bytes]]) -> Counter[bytes]:
    imported = uses["import"]
    if not language.imports_by_name or uses["import_all"]:
        return uses["reference"] + imported
    return Counter({name: uses["reference"][name] + count for name, count in imported.items()})


def _definition(found: Found) -> Definition:
    kind = next(name for name in found.nodes if name not in {"name", "body"})
    node, name = found.nodes[kind][0], found.nodes["name"][0]
    bodies = found.nodes.get("body")
    body = bodies[0] if bodies else node.child_by_field_name("body")
    return Definition(node.start_byte, -node.end_byte, found.pattern, kind, node, name, body.start_byte if body else -1)


def _names(counts: Counter[bytes]) -> dict[str, int]:
    return {_text(name): counts[name] for name in sorted(counts) if 0 < len(name) <= MAX_NAME_BYTES}


def _text(name: bytes) -> str:
    text = name.decode("utf-8", "replace")
    return text if text.isidentifier() else one_line(text, MAX_NAME_BYTES)


def _symbols(source: bytes, definitions: list[Definition]) -> tuple[Symbol, ...]:
    """The definitions with their parents: whichever began before and has not ended yet."""
    found: list[Symbol] = []
    around: list[tuple[int, int]] = []
    seen: set[int] = set()
    for each in sorted(definitions, key=lambda one: one[:3]):
        if each.name.start_byte in seen or each.name.start_byte == each.name.end_byte or len(found) == MAX_SYMBOLS:
            continue
        seen.add(each.name.start_byte)
        while around and around[-1][0] <= each.start:
            around.pop()
        parent = around[-1][1] if around else None
        around.append((-each.end, len(found)))
        found.append(_symbol(source, each, parent, found))
    return tuple(found)


def _symbol(source: bytes, each: Definition, parent: int | None, found: list[Symbol]) -> Symbol:
    inside = found[parent].kind if parent is not None else "namespace"
    method = each.kind == "function" and (inside == "impl" or inside not in CALLABLES | CONTAINERS)
    first, (last, column) = each.node.start_point.row, each.node.end_point
    return Symbol(
        kind="method" if method else each.kind,
        name=_text(source[each.name.start_byte : each.name.end_byte][:MAX_NAME_BYTES]),
        signature=_signature(source, each),
        start_line=first + 1,
        end_line=last + (column > 0 or last == first),
        parent=parent,
    )


def _signature(source: bytes, each: Definition) -> str:
    """What stands before the body, or up to the end of a line on which no bracket is open, on one line."""
    window = max(0, each.start - SIGNATURE_BYTES // 5)
    start = source.rfind(b"\n", window, each.start) + 1 or window
    if MODIFIERS.fullmatch(source, start, each.start) is None:
        start = each.start
    while (skipped := ANNOTATION_LINE.match(source, start, each.name.start_byte)) is not None:
        start = skipped.end()
    has_body = each.body >= each.name.end_byte
    end = min(each.body if has_body else -each.end, start + SIGNATURE_BYTES)
    text = source[start:end].decode("utf-8", "replace")
    if not has_body:
        text = _balanced(text)
    flat = OPENING.sub("", one_line(text, SIGNATURE_CHARACTERS))
    flat = flat.replace("( ", "(").replace(", )", ")").replace(" )", ")")
    name = _text(source[each.name.start_byte : each.name.end_byte])
    return flat if name in flat else f"{flat} … {name}"


def _balanced(text: str) -> str:
    depth = 0
    lines = text.splitlines()
    for count, line in enumerate(lines, start=1):
        bare = QUOTED.sub("", plain(line)).translate(BRACKETS)
        depth += bare.count("(") - bare.count(")")
        if depth <= 0:
            return "\n".join(lines[:count])
    return "\n".join(lines)
