"""Stubs: files with the planned names and signatures, on which tests can be seen to fail."""

import ast
import re

from domain.files import File, FileTree
from domain.plan import StubFile

METHOD = re.compile(r"^(?:(async)\s+)?(?:def\s+)?(\w+)\.(\w+)\s*(\(.*)$", re.DOTALL)
BODY = "raise NotImplementedError"


def stub_files(files: tuple[StubFile, ...], present: FileTree) -> FileTree:
    """The stubs for those Python ``files`` that are not ``present``; folders of them become packages nowhere."""
    return {
        file.path: File(content=stub(file).encode())
        for file in files
        if file.path.endswith(".py") and file.path not in present
    }


def stub(file: StubFile) -> str:
    """A module with every signature that is valid Python; each body raises NotImplementedError."""
    classes: dict[str, list[str]] = {}
    parts: list[str] = []
    for signature in file.signatures:
        text = " ".join(signature.strip().rstrip(":").split())
        if text.startswith("class "):
            classes.setdefault(_class_name(text), []).insert(0, text)
        elif method := METHOD.match(text):
            asynchronous, owner, name, rest = method.groups()
            classes.setdefault(owner, []).append(f"{'async ' if asynchronous else ''}def {name}{rest}")
        else:
            parts.append(f"{text}:\n    {BODY}\n")
    parts = [_class(name, lines) for name, lines in classes.items()] + parts
    return "from __future__ import annotations\n\n\n" + "\n\n".join(part for part in parts if _is_valid(part))


def _class_name(text: str) -> str:
    return re.split(r"[\s(:\[]", text.removeprefix("class ").strip(), maxsplit=1)[0]


def _class(name: str, lines: list[str]) -> str:
    head = lines[0] if lines[0].startswith("class ") else f"class {name}"
    methods = [line for line in lines if not line.startswith("class ")]
    if not any("__init__" in method for method in methods):
        methods.insert(0, "def __init__(self, *args, **kwargs)")
    valid = [method for method in methods if _is_valid(f"{method}:\n    {BODY}\n")]
    if not _is_valid(f"{head}:\n    pass\n"):
        head = f"class {name}"
    body = "\n".join(f"    {method}:\n        {BODY}\n" for method in valid)
    return f"{head}:\n{body}"


def _is_valid(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
