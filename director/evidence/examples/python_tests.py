"""Examples as a file of pytest."""

import builtins
import keyword

from director.evidence.examples.example import Example
from domain.files import FileTree

PATH = "test_request_examples_{token}.py"


def usable(example: Example, home: str) -> bool:
    """Whether the example can be told in Python, of a function that stands in the file ``home``."""
    parts = _module(home).split(".")
    names = [example.function, *parts, *(name for name, _ in example.keywords)]
    if not all(name.isidentifier() and not keyword.iskeyword(name) for name in names):
        return False
    known = getattr(builtins, example.raises or "ValueError", None)
    is_exception = isinstance(known, type) and issubclass(known, Exception)
    return is_exception and example.owner in {"", parts[-1]}


def write(named: list[tuple[str, Example, str]], template: str, path: str, tree: FileTree) -> str:
    """The test file; each example comes with its test's name and the file of its function."""
    top = "sys.path.insert(0, 'src')\n\n\n" if any(home.startswith("src/") for *_, home in named) else ""
    return template + top + "\n\n".join(_test(*one) for one in named)


def _module(home: str) -> str:
    """The name by which a file is imported."""
    return home.removesuffix(".py").removesuffix("/__init__").removeprefix("src/").replace("/", ".")


def _test(name: str, example: Example, home: str) -> str:
    call, told = f"subject.{example.call}", f", not {example.expected}"
    lines = [f"def test_{name}():", f"    import {_module(home)} as subject", ""]
    if example.raises:
        lines += [f"    with pytest.raises({example.raises}):", f"        finished({call})"]
    else:
        lines += [
            f"    found = finished({call})",
            f"    expected = {example.expected}",
            f"    assert same(found, expected), {f'{example.call} is '!r} + shown(found) + {told!r}",
        ]
    return "\n".join(lines) + "\n"
