"""Examples as a file of node:test, in JavaScript: types that do not fit must not keep it from running."""

import ast
import json
import math
import posixpath

from director.evidence.examples.example import Example
from director.evidence.examples.value import Literal, NoValue, whole
from domain.files import FileTree

PATH = "request-examples-{token}.test.mjs"
SAFE_INTEGER = 2**53 - 1


def usable(example: Example, home: str) -> bool:
    """Whether the example can be told in JavaScript, of a function that stands in the file ``home``."""
    stem = posixpath.basename(home).split(".")[0]
    if example.keywords or example.owner not in {"", stem} or not home.isprintable():
        return False
    return whole(example, script)


def write(named: list[tuple[str, Example, str]], template: str, path: str, tree: FileTree) -> str:
    """The test file; each example comes with its test's name and the file of its function."""
    return template + "\n".join(_test(*one) for one in named)


def script(value: Literal) -> str:
    """A value as JavaScript. NoValue where that has none of the kind."""
    match value:
        case bool() | None | str():
            return json.dumps(value)
        case int() if abs(value) <= SAFE_INTEGER:
            return f"{value}"
        case float() if math.isfinite(value):
            return repr(value)
        case list() | tuple():
            return f"[{', '.join(map(script, value))}]"
        case set() | frozenset():
            return f"new Set([{', '.join(sorted(map(script, value)))}])"
        case dict() if all(isinstance(key, str) for key in value):
            return f"{{ {', '.join(f'[{json.dumps(key)}]: {script(item)}' for key, item in value.items())} }}"
        case _:
            raise NoValue


def _test(name: str, example: Example, home: str) -> str:
    given = ", ".join(script(ast.literal_eval(one)) for one in example.arguments)
    call = f"taken(subject, '{example.function}')({given})"
    lines = [f"test('{name.replace('_', ' ')}', async () => {{"]
    lines += [f"  const subject = await import({json.dumps('./' + home)});"]
    if example.raises:
        named = "" if example.raises in {"Error", "Exception"} else f", '{example.raises}'"
        lines += [f"  taken(subject, '{example.function}');", f"  await fails(async () => {call}{named});"]
    else:
        expected = script(ast.literal_eval(example.expected))
        lines += [f"  check(await {call}, {expected}, {json.dumps(example.call)});"]
    return "\n".join([*lines, "});\n"])
