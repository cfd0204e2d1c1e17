"""Stubs: files with the planned names and signatures, on which tests can be seen to fail."""

import ast
import builtins
import re
import textwrap

from domain.files import File, FileTree
from domain.plan import StubFile

METHOD = re.compile(r"^(?:(async)\s+)?(?:def\s+)?(\w+)\.(\w+)\s*(\(.*)$", re.DOTALL)
BODY = "raise NotImplementedError"
BODY_AFTER = re.compile(r":\s*(?:\.\.\.|pass)\s*$")


def stub_files(files: tuple[StubFile, ...], present: FileTree) -> FileTree:
    """The stubs for those Python ``files`` that are not ``present``; folders of them become packages nowhere."""
    return {
        file.path: File(content=stub(file).encode())
        for file in files
        if file.path.endswith(".py") and file.path not in present
    }


def stub(file: StubFile) -> str:
    """A module with every signature that is valid Python; each body raises NotImplementedError.

    What a signature takes from elsewhere (base classes, defaults that are no literals) is left out, so that the module
    can be imported whatever the plan forgot.
    """
    classes: dict[str, list[str]] = {}
    functions: list[str] = []
    for signature in file.signatures:
        text = BODY_AFTER.sub("", " ".join(signature.split())).rstrip(": ")
        if text.startswith("class "):
            classes.setdefault(_class_name(text), []).insert(0, text)
        elif method := METHOD.match(text):
            asynchronous, owner, name, rest = method.groups()
            classes.setdefault(owner, []).append(f"{'async ' if asynchronous else ''}def {name}{rest}")
        else:
            functions.append(text)
    parts = [_class(name, lines) for name, lines in classes.items()] + [_function(text) for text in functions]
    return "from __future__ import annotations\n\n\n" + "\n\n\n".join(part for part in parts if part) + "\n"


def _class_name(text: str) -> str:
    return re.split(r"[\s(:\[]", text.removeprefix("class ").strip(), maxsplit=1)[0]


def _class(name: str, lines: list[str]) -> str:
    methods = [method for line in lines if not line.startswith("class ") and (method := _function(line))]
    if not any("def __init__(" in method for method in methods):
        methods.insert(0, _function("def __init__(self, *args, **kwargs)"))
    head = next((line for line in lines if line.startswith("class ")), "")
    bases = ", ".join(_builtin_bases(head))
    source = f"class {name}({bases}):\n" + textwrap.indent("\n\n".join(methods), "    ")
    return source if _compiled(source) else ""


def _builtin_bases(head: str) -> list[str]:
    try:
        (node,) = ast.parse(f"{head}: pass").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    bases = node.bases if isinstance(node, ast.ClassDef) else []
    return [base.id for base in bases if isinstance(base, ast.Name) and hasattr(builtins, base.id)]


def _function(text: str) -> str:
    """The function with its literal defaults only, or nothing when the signature is no Python, or nested too deep."""
    source = f"{text}:\n    {BODY}"
    if not _compiled(source):
        return ""
    (node,) = ast.parse(source).body
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return ""
    node.args.defaults = [_literal(default) for default in node.args.defaults]
    node.args.kw_defaults = [default and _literal(default) for default in node.args.kw_defaults]
    try:
        return ast.unparse(node)
    except RecursionError:
        return ""


def _literal(default: ast.expr) -> ast.expr:
    try:
        ast.literal_eval(default)
    except (ValueError, TypeError, RecursionError, MemoryError):
        return ast.Constant(None)
    return default


def _compiled(source: str) -> bool:
    try:
        compile(source, "stub", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
