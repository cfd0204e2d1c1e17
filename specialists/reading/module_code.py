"""The module in a reply: what belongs into a Python file of those that the reply shows around it."""

import ast
import re
from collections.abc import Collection

from domain.text import well_formed
from specialists.reading.fences import blocks
from specialists.reading.mending import parsed
from specialists.reading.thoughts import without_thoughts
from specialists.reading.written_calls import unfenced

MOST_CHARACTERS = 200_000
MOST_CUTS = 40
SHOWING = frozenset({"print", "pprint", "input"})
IMPORT = re.compile(r"^(?:from [\w.]+ import [\w, ]+|import [\w., ]+)$", re.MULTILINE)


def module_in(reply: str, names: Collection[str], request: str = "") -> str | None:
    """The Python module that a reply shows and that defines one of ``names``; None where there is none.

    What merely tries it out (prints, assertions, calls of what it defines) is left out, an end that breaks off as well.
    Imports that the ``request`` shows and the reply leaves out are added.
    """
    text = without_thoughts(unfenced(well_formed(reply[:MOST_CHARACTERS]).replace("\r\n", "\n")))
    shown = [block.body for block in blocks(text)] or [text]
    for source in shown:
        module = _readable(source)
        if module is not None and _defined(module[1]) & set(names):
            return _imports(request, module[0]) + _kept(*module)
    return None


def _readable(source: str) -> tuple[str, ast.Module] | None:
    """The source with its tree; less its last lines, where only those are no Python."""
    lines = source.splitlines()
    tops = [at for at, line in enumerate(lines) if line[:1].strip()]
    for end in [len(lines), *reversed(tops[-MOST_CUTS:])]:
        text = "\n".join(lines[:end])
        module = parsed(text)
        if module is not None:
            return text, module
    return None


def _defined(module: ast.Module) -> set[str]:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return {node.name for node in module.body if isinstance(node, kinds)}


def _kept(source: str, module: ast.Module) -> str:
    lines, defined = source.splitlines(), _defined(module)
    for node in module.body:
        if _tries(node, defined):
            last = node.end_lineno or node.lineno
            lines[node.lineno - 1 : last] = [""] * (last - node.lineno + 1)
    return "\n".join(lines).strip("\n") + "\n"


def _tries(node: ast.stmt, defined: set[str]) -> bool:
    """Whether a statement of the module only shows what it defines."""
    if isinstance(node, ast.Assert):
        return True
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return False
    called = node.value.func
    return isinstance(called, ast.Name) and called.id in SHOWING | defined


def _imports(request: str, source: str) -> str:
    missing = [line for line in dict.fromkeys(IMPORT.findall(request)) if line not in source]
    return "".join(f"{line}\n" for line in missing)
