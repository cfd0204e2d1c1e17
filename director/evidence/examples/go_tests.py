"""Examples as tests of Go's testing package. Arguments are made to fit by reflection, so that no type is needed."""

import ast
import json
import math
import re

from director.evidence.examples.example import Example
from director.evidence.examples.value import Literal, NoValue, whole
from domain.files import FileTree

PATH = "request_examples_{token}_test.go"
PACKAGE = re.compile(r"^package[ \t]+(\w+)", re.MULTILINE)
TOKEN = re.compile(r"request_examples_(\w+)_test\.go$")
LONG = 2**63


def usable(example: Example, home: str) -> bool:
    """Whether the example can be told in Go; whatever name of an exception it gives, an error or a panic will do."""
    return not example.keywords and whole(example, _value)


def write(named: list[tuple[str, Example, str]], template: str, path: str, tree: FileTree) -> str:
    """The test file, in the package of the functions' folder."""
    home = tree.get(named[0][2])
    package = PACKAGE.search(home.content.decode(errors="replace")) if home is not None else None
    folder = path.rpartition("/")[0].rpartition("/")[2]
    name = package.group(1) if package else re.sub(r"\W", "", folder) or "main"
    found = TOKEN.search(path)
    token = f"_{found.group(1)}" if found else ""
    text = template.replace("PACKAGE", name).replace("TOKEN", token)
    return text + "".join(_test(*one[:2], token) for one in named)


def _value(value: Literal, token: str = "") -> str:
    match value:
        case bool() | str():
            return json.dumps(value, ensure_ascii=False)
        case None:
            return "nil"
        case int() if -LONG <= value < LONG:
            return f"{value}"
        case float() if math.isfinite(value):
            return repr(value)
        case list() | tuple():
            return f"list{token}{{{', '.join(_value(item, token) for item in value)}}}"
        case dict():
            pairs = [f"{_value(key, token)}: {_value(item, token)}" for key, item in value.items()]
            return f"map{token}{{{', '.join(pairs)}}}"
        case _:
            raise NoValue


def _test(name: str, example: Example, token: str) -> str:
    given = "".join(f", {_value(ast.literal_eval(one), token)}" for one in example.arguments)
    told = json.dumps(example.call, ensure_ascii=False)
    if example.raises:
        body = f"fails{token}(t, {told}, {example.function}{given})"
    else:
        expected = _value(ast.literal_eval(example.expected), token)
        body = f"check{token}(t, {told}, {expected}, {example.function}{given})"
    return f"\nfunc Test{token}_{name}(t *testing.T) {{\n\t{body}\n}}\n"
