"""Examples as a class of JUnit 5. Methods are called by reflection: a type that does not fit fails one test only."""

import ast
import json
import math
import posixpath
import re

from director.evidence.examples.example import Example
from director.evidence.examples.value import Literal, NoValue, whole
from domain.files import FileTree

PATH = "RequestExamples{token}Test.java"
ROOTS = re.compile(r"^(?:.*/)?src/(?:main/java/)?")
INT, LONG = 2**31, 2**63


def usable(example: Example, home: str) -> bool:
    """Whether the example can be told in Java, of a method of the class in the file ``home``."""
    if example.keywords or example.owner not in {"", _type(home).rpartition(".")[2]}:
        return False
    return re.fullmatch(r"[\w.$]+", _type(home)) is not None and whole(example, java)


def write(named: list[tuple[str, Example, str]], template: str, path: str, tree: FileTree) -> str:
    """The test file; each example comes with its test's name and the file of its method."""
    stem = posixpath.basename(path).removesuffix(".java")
    return template.replace("STEM", stem) + "".join(_test(*one) for one in named) + "}\n"


def java(value: Literal) -> str:
    """A value as Java. NoValue where that has none of the kind."""
    match value:
        case bool() | None | str():
            return json.dumps(value)
        case int() if -LONG <= value < LONG:
            return f"{value}" if -INT <= value < INT else f"{value}L"
        case float() if math.isfinite(value):
            return repr(value)
        case list() | tuple():
            return f"list(all({_items(value)}))"
        case set() | frozenset():
            return f"set(all({', '.join(sorted(map(java, value)))}))"
        case dict():
            return f"map(all({_items([part for pair in value.items() for part in pair])}))"
        case _:
            raise NoValue


def _items(values: list[Literal] | tuple[Literal, ...]) -> str:
    return "(Object) null" if list(values) == [None] else ", ".join(map(java, values))


def _type(home: str) -> str:
    return ROOTS.sub("", home).removesuffix(".java").replace("/", ".")


def _test(name: str, example: Example, home: str) -> str:
    given = [ast.literal_eval(one) for one in example.arguments]
    arguments = "".join(f", {'(Object) null' if one is None else java(one)}" for one in given)
    call = f'call("{_type(home)}", "{example.function}"{arguments})'
    told = json.dumps(example.call)
    if example.raises:
        body = f'fails(() -> {call}, "{example.raises}", {told});'
    else:
        body = f"check({call}, {java(ast.literal_eval(example.expected))}, {told});"
    return f"\n  @Test\n  void {name}() throws Throwable {{\n    {body}\n  }}\n"
