"""Python signatures that stand in a request, by which stubs can be made without asking a model."""

import ast
import builtins
import keyword
import re
import textwrap
from collections.abc import Iterable, Iterator

from director.evidence.examples.example import Example
from domain.plan import StubFile

READ_CHARACTERS = 32_000
Function = ast.FunctionDef | ast.AsyncFunctionDef

MOST_SIGNATURES = 20
MOST_BLOCKS = 20
WRITES = "write|implement|create|define|code|program"
PARAMETERS = ("a", "b", "c", "d", "e", "f", "g", "h")
"""Names where the request gives none."""

FENCED = re.compile(r"^(?:```|~~~)[ \t]*(\w*)[^\n]*\n(.*?)(?:^(?:```|~~~)|\Z)", re.MULTILINE | re.DOTALL)
DEFINITION = re.compile(r"^(?:async )?(?:def|class) (\w+)", re.MULTILINE)
QUOTED = re.compile(r"`(?:def )?([a-z_]\w{0,60}\([^`\n]{0,200}\)(?: ?-> ?[^`\n]{1,80})?):?`")
CALLED = re.compile(
    r"\bfunction (?:called |named )?([a-z_]\w{0,60}\([^()\n]{0,200}\)(?: ?-> ?[\w\[\], .|]{1,80}?(?=[\s,.;:]|$))?)"
)
PATH = re.compile(r"(?<![\w/.@-])((?:[\w-]{1,60}/){0,6}[\w-]{1,60}\.py)\b")


def stubs_in(prompt: str) -> tuple[StubFile, ...]:
    """The one file that the request describes by its signatures; nothing where it names none, or several files,
    or where a part of what it defines cannot be read.

    The file is the one that the request names, or else one named after the only function or class.
    """
    text = prompt[:READ_CHARACTERS]
    signatures = tuple(dict.fromkeys(_signatures(text)))[:MOST_SIGNATURES]
    paths = _paths(text)
    tops = [name for name in map(_top, signatures) if name]
    if not tops or len(paths) > 1 or not set(DEFINITION.findall(text)) <= set(tops):
        return ()
    path = paths.pop() if paths else f"{tops[0].lower() if len(set(tops)) == 1 else 'solution'}.py"
    return (StubFile(path=path, signatures=signatures),)


def stubs_of(examples: Iterable[Example], prompt: str) -> tuple[StubFile, ...]:
    """The file of the one function that examples call and the request asks for; nothing where they call several, or
    methods, or by keyword, or where the request names several files, or defines something."""
    known = list(examples)
    names, owners = {one.function for one in known}, {one.owner for one in known}
    paths = _paths(prompt[:READ_CHARACTERS])
    odd = owners != {""} or any(one.keywords for one in known) or DEFINITION.search(prompt)
    if len(names) != 1 or odd or len(paths) > 1 or hasattr(builtins, name := names.pop()):
        return ()
    if not re.search(rf"\b(?:function|{WRITES})\b[^.\n]{{0,40}}\b{re.escape(name)}\b", prompt, re.IGNORECASE):
        return ()
    counts = [len(one.arguments) for one in known]
    if max(counts) > len(PARAMETERS) or not name.isidentifier() or keyword.iskeyword(name):
        return ()
    parameters = (f"{PARAMETERS[at]}=None" if at >= min(counts) else PARAMETERS[at] for at in range(max(counts)))
    path = paths.pop() if paths else f"{name.lower()}.py"
    return (StubFile(path=path, signatures=(f"def {name}({', '.join(parameters)})",)),)


def _paths(text: str) -> set[str]:
    return {path for path in PATH.findall(text) if not path.rsplit("/", 1)[-1].startswith("test")}


def _signatures(text: str) -> Iterator[str]:
    found = False
    for source in _sources(text):
        for signature in _of_source(source):
            found = True
            yield signature
    if found:
        return
    for pattern in (QUOTED, CALLED):
        for call in pattern.findall(text):
            if signature := _of_call(call):
                yield signature


def _sources(text: str) -> Iterator[str]:
    """What may be Python in the request: its fenced blocks, or else all from the first definition on."""
    blocks = [code for word, code in FENCED.findall(text) if word.lower() in {"", "py", "python", "python3"}]
    yield from blocks[:MOST_BLOCKS]
    start = DEFINITION.search(text)
    if not blocks and start is not None:
        yield text[start.start() :]


def _of_source(source: str) -> Iterator[str]:
    """The signatures of what is left open; what has a body is material, and says nothing about new code."""
    tree = _parsed(textwrap.dedent(source))
    for node in tree.body if tree is not None else ():
        try:
            yield from tuple(_of_node(node))
        except RecursionError:  # of ast.unparse, where a part is nested too deep
            continue


def _of_node(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, Function) and _is_open(node):
        yield _head(node)
    elif isinstance(node, ast.ClassDef):
        yield from _of_class(node)


def _of_class(node: ast.ClassDef) -> Iterator[str]:
    methods = [method for method in node.body if isinstance(method, Function)]
    if not all(map(_is_open, methods)):
        return
    bases = ", ".join(map(ast.unparse, node.bases))
    yield f"class {node.name}({bases})" if bases else f"class {node.name}"
    for method in methods:
        yield _head(method, f"{node.name}.")


def _is_open(node: Function) -> bool:
    """Whether the body holds no more than a docstring, ``...``, ``pass`` or ``raise NotImplementedError``."""
    return all(
        isinstance(part, ast.Pass)
        or (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
        or (isinstance(part, ast.Raise) and part.exc is not None and "NotImplemented" in ast.unparse(part.exc))
        for part in node.body
    )


def _parsed(source: str) -> ast.Module | None:
    """The source as Python, less what follows it that is none: prose, or a body that is left out."""
    lines = source.splitlines()
    for end in (len(lines), *_ends(lines)):
        with_body = "\n".join(lines[:end])
        for text in (with_body, f"{with_body}\n    ..."):
            try:
                return ast.parse(text)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                continue
    return None


def _ends(lines: list[str]) -> list[int]:
    """Where Python may end before prose begins: at lines that are not indented, the last ones first."""
    ends = [at for at, line in enumerate(lines) if at and line[:1].strip() and not line.startswith(("def ", "class "))]
    return ends[:5]


def _head(node: Function, owner: str = "") -> str:
    returns = f" -> {ast.unparse(node.returns)}" if node.returns is not None else ""
    start = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    return f"{start} {owner}{node.name}({ast.unparse(node.args)}){returns}"


def _of_call(call: str) -> str:
    """A call whose arguments are names, as a signature; nothing where it is an example or something built in."""
    tree = _parsed(f"def {call}: ...")
    node = tree.body[0] if tree is not None and tree.body else None
    if not isinstance(node, ast.FunctionDef) or hasattr(builtins, node.name):
        return ""
    try:
        return _head(node)
    except RecursionError:
        return ""


def _top(signature: str) -> str:
    """The name at the top of the module that the signature gives it; nothing for a method."""
    found = re.match(r"(?:async )?(?:def|class) (\w+)(\.)?", signature)
    return "" if found is None or found[2] else found[1]
