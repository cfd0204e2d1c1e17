"""Examples as test files: of which functions, under which names, and what they say when they are run."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from director.evidence.examples.homes import homes
from director.evidence.examples.reading import find_examples
from director.evidence.examples.writing import FRAMEWORKS, example_tests
from domain.files import File, FileTree, vet_path
from domain.plan import StubFile
from sandbox.languages import LANGUAGES

PROMPT = "f(2) == 4, f(-1) raises ValueError"


def tree(**files: str) -> FileTree:
    """Files by their names, with ``__`` for a dot and ``_in_`` for a slash."""
    return {name.replace("_in_", "/").replace("__", "."): File(content=text.encode()) for name, text in files.items()}


def written(prompt: str, *planned: StubFile, files: FileTree | None = None, language: str = "python") -> dict[str, str]:
    """The test files as text."""
    made = example_tests(find_examples(prompt), planned, files or {}, language)
    return {path: file.content.decode() for path, file in made.items()}


def test_there_is_one_test_for_each_example_with_a_name_that_tells_it() -> None:
    ((path, text),) = written(PROMPT, StubFile(path="calc.py", signatures=("def f(x: int) -> int",))).items()
    names = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    tests = [name for name in names if name.startswith("test")]
    assert tests == ["test_f_of_2_is_4", "test_f_of_minus_1_raises_ValueError"]
    assert path.startswith("test_request_examples_")
    assert "import calc as subject" in text


def test_a_function_whose_file_is_not_known_makes_no_test() -> None:
    assert written(PROMPT) == {}
    assert written(PROMPT, StubFile(path="calc.py", signatures=("def g(f: int) -> int",))) == {}
    assert written(PROMPT, files=tree(calc__py="class A:\n    def f(self): ...\n")) == {}


def test_a_function_of_two_files_makes_no_test_unless_the_plan_names_one() -> None:
    files = tree(a__py="def f(x): ...\n", b__py="def f(x): ...\n")
    assert written(PROMPT, files=files) == {}
    ((_, text),) = written(PROMPT, StubFile(path="a.py", signatures=("f(x)",)), files=files).items()
    assert "import a as subject" in text


@pytest.mark.parametrize(
    "prompt",
    ["other.f(2) == 4", "f(-1) raises Nonsense", "f(-1) raises KeyboardInterrupt", "class(2) == 4", "f(2, if=1) == 4"],
)
def test_what_cannot_be_told_in_python_makes_no_test(prompt: str) -> None:
    assert written(prompt, StubFile(path="calc.py", signatures=("f(x)", "class(x)"))) == {}


@pytest.mark.parametrize("path", ["my-code.py", "a b/calc.py", "class.py", "1.py"])
def test_a_file_that_cannot_be_imported_makes_no_test(path: str) -> None:
    assert written(PROMPT, StubFile(path=path, signatures=("f(x)",))) == {}


@pytest.mark.parametrize(
    ("path", "module"),
    [("calc.py", "calc"), ("src/shop/price.py", "shop.price"), ("shop/__init__.py", "shop"), ("a/b.py", "a.b")],
)
def test_a_module_has_the_name_by_which_it_is_imported(path: str, module: str) -> None:
    ((_, text),) = written(PROMPT, StubFile(path=path, signatures=("f(x)",))).items()
    assert f"import {module} as subject" in text
    assert ("sys.path.insert(0, 'src')" in text) is path.startswith("src/")


def test_the_same_file_is_never_overwritten() -> None:
    stub = StubFile(path="calc.py", signatures=("f(x)",))
    (first,) = written(PROMPT, stub)
    (second,) = written(PROMPT, stub, files={first: File(content=b"")})
    assert second != first
    assert list(written(PROMPT, stub)) == [first]


HOMES = {
    "python": ("shop/price.py", "import os\n\nasync def f(x):\n    return 1\n", "def g(f):\n    f(2)\n"),
    "typescript": ("src/price.ts", "export const f = (x: number) => x;\n", "export const g = f(2);\n"),
    "java": ("src/Price.java", "class Price {\n  static int f(int x) {\n  }\n}\n", "class A { int x = f(2); }\n"),
    "go": ("price/price.go", "package price\n\nfunc f(x int) int { return 1 }\n", "package price\n\nvar x = f(2)\n"),
}  # fmt: skip


@pytest.mark.parametrize("language", HOMES)
def test_a_function_is_found_where_it_is_defined_and_not_where_it_is_used(language: str) -> None:
    path, defines, uses = HOMES[language]
    suffix = path.rpartition(".")[2]
    tests = {"python": "tests/test_price.py", "java": "src/PriceTest.java", "go": "price/price_test.go"}
    test = tests.get(language, "src/price.test.ts")
    files = {path: defines, f"other.{suffix}": uses, test: defines, "notes.md": defines}
    found = homes({"f", "h"}, (), {name: File(content=text.encode()) for name, text in files.items()}, language)
    assert found == {"f": path}


@pytest.mark.parametrize("language", HOMES)
@pytest.mark.parametrize("part", [" ", "a ", "def ", "f(", "\n", "export const ", "\t\t", "int[] "])
def test_any_source_is_looked_through_in_linear_time(language: str, part: str) -> None:
    path, *_ = HOMES[language]
    homes({"f"}, (), {path: File(content=(part * 2**20).encode()[: 2**20])}, language)


def test_every_language_has_a_framework() -> None:
    assert set(FRAMEWORKS) == set(LANGUAGES)


@given(st.text(), st.sampled_from(sorted(LANGUAGES)), st.text(min_size=1))
def test_files_for_any_examples_have_vetted_names_and_python_parses(text: str, language: str, given: str) -> None:
    path, *_ = HOMES[language]
    prompt = f"{text}\n\nf({given!r}) == [{text!r}]\n"
    for name, content in written(prompt, StubFile(path=path, signatures=("f(x)",)), language=language).items():
        assert vet_path(name)
        assert language != "python" or ast.parse(content)
