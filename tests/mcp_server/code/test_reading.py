"""Symbols and references of sources, in every language."""

import textwrap

import pytest

from mcp_server.code.languages import LANGUAGES, MAX_SOURCE_BYTES, language_of
from mcp_server.code.reading import MAX_SYMBOLS, SIGNATURE_CHARACTERS, symbols, tags
from mcp_server.code.symbol import Tags
from tests.mcp_server.code.outline import SAMPLES, expected, outline

USED = {
    "python": ({"cache", "dataclass"}, {"bought", "total"}),
    "javascript": ({"price", "Base", "Cart"}, {"copy", "push", "walk"}),
    "typescript": ({"Item", "Money", "Person", "Seller", "Thing", "priceOf"}, {"find", "trim"}),
    "tsx": ({"Button", "Layout", "Props", "press"}, {"Component", "Entry"}),
    "java": ({"Base", "Item", "Money", "Prices", "Seller", "SoldOut", "check"}, {"close", "of", "times"}),
    "go": ({"Item", "Money", "Shop"}, {"Errorf", "Of", "log"}),
    "rust": ({"Item", "Money", "Price", "Seller", "Shop", "SoldOut", "log", "prices"}, {"of", "ok_or", "shut"}),
    "c": ({"MIN", "item", "item_t", "lookup", "price", "printf", "shop"}, {"handler"}),
    "cpp": ({"Base", "Log", "Money", "Receipt", "bound", "vector"}, {"move", "print", "push_back"}),
    "ruby": ({"Base", "Countable", "Prices", "finish"}, {"empty", "of", "sum", "total"}),
    "c_sharp": ({"Base", "ISeller", "Item", "Money", "Prices", "Receipt"}, {"Of", "Print"}),
    "php": ({"Base", "Counts", "Item", "Person", "Price", "Prices", "Receipt", "Store", "helper"}, {"of", "tally"}),
    "kotlin": ({"Base", "Item", "Money", "Prices", "Seller", "log", "uppercase"}, {"also", "of"}),
    "scala": ({"Base", "Item", "Money", "Prices", "Seller", "helper"}, {"map", "of"}),
    "bash": ({"add_up", "check_stock", "price_of", "sell", "total"}, set()),
    "lua": ({"Cart", "helper", "prices"}, {"new", "of", "upper"}),
}


def read(path: str, source: str | bytes) -> Tags:
    """The tags of a source that can be read."""
    found = tags(path, source.encode() if isinstance(source, str) else source)
    assert found is not None
    return found


@pytest.mark.parametrize("language", [language.name for language in LANGUAGES])
def test_every_language_has_a_sample_whose_symbols_are_found(language: str) -> None:
    sample = SAMPLES[language]
    found = symbols(sample.name, sample.read_bytes())

    assert found is not None
    assert outline(found) == expected(sample)


@pytest.mark.parametrize("language", [language.name for language in LANGUAGES])
def test_what_a_sample_uses_is_found_by_itself_and_as_a_member(language: str) -> None:
    sample = SAMPLES[language]
    found = read(sample.name, sample.read_bytes())
    references, members = USED[language]

    assert references <= set(found.references)
    assert members <= set(found.members)


@pytest.mark.parametrize("path", ["notes.txt", "data.json", "Makefile", "", ".py/x", "a.py.orig"])
def test_a_file_in_no_language_that_we_read_has_no_answer(path: str) -> None:
    assert language_of(path) is None
    assert tags(path, b"def f(): pass") is None


@pytest.mark.parametrize(
    ("path", "language"),
    [("a/B.PY", "python"), ("Rakefile", "ruby"), ("x/y.tsx", "tsx"), ("a.d.ts", "typescript"), ("a.h", "cpp")],
)
def test_a_language_is_known_by_the_name_of_the_file(path: str, language: str) -> None:
    found = language_of(path)
    assert found is not None
    assert found.name == language


def test_a_suffix_belongs_to_one_language() -> None:
    suffixes = [suffix for language in LANGUAGES for suffix in (*language.suffixes, *language.file_names)]
    assert len(suffixes) == len(set(suffixes))


def test_windows_lines_and_a_byte_order_mark_change_nothing() -> None:
    for sample in SAMPLES.values():
        source = sample.read_bytes()
        windows = b"\xef\xbb\xbf" + source.replace(b"\n", b"\r\n")
        if sample.suffix != ".sh":  # whose lines end with a newline alone
            assert outline(read(sample.name, windows).symbols) == expected(sample), sample.name


def test_a_name_counts_in_python_when_it_was_imported_by_that_name() -> None:
    source = "from a import first, second as other\nfirst()\nfirst()\nprint(other())\n"
    assert read("a.py", source).references == {"first": 3, "second": 1}
    assert read("a.py", "from a import *\nfirst()\n").references == {"first": 1}


def test_a_long_signature_is_one_line_and_cut() -> None:
    arguments = ",\n    ".join(f"argument_{number}: int" for number in range(100))
    found = read("a.py", f"def f(\n    {arguments},\n):\n    pass\n").symbols[0].signature

    assert found.startswith("def f(argument_0: int, argument_1: int,")
    assert len(found) <= SIGNATURE_CHARACTERS


def test_annotations_in_lines_of_their_own_are_no_part_of_a_signature() -> None:
    source = 'class A {\n  @Inject\n  @Named("x")\n  private void f(int a)\n  {\n  }\n}\n'
    method = read("A.java", source).symbols[1]

    assert method.signature == "private void f(int a)"
    assert (method.start_line, method.end_line) == (2, 6)


def test_a_bracket_in_a_string_opens_nothing() -> None:
    assert read("a.py", "first = '['\nsecond = 2\n").symbols[0].signature == "first = '['"
    assert read("a.py", "first = [\n    1,\n]\nsecond = 2\n").symbols[0].signature == "first = [ 1, ]"


def test_what_stands_on_the_same_line_before_a_definition_is_no_part_of_its_signature() -> None:
    found = read("a.js", "class A { first() { return 1; } second() {} }\n").symbols
    assert [symbol.signature for symbol in found] == ["class A", "first()", "second()"]


def test_terminal_escapes_and_controls_do_not_get_into_names_and_signatures() -> None:
    found = read("a.rb", 'def a(b = "\x1b[31mred\x07\u202e")\nend\n').symbols[0]
    assert found.signature == 'def a(b = "red")'


def test_definitions_on_one_line_of_a_megabyte_have_short_signatures() -> None:
    found = read("a.js", "function f(a) { } " * 50_000).symbols
    assert {symbol.signature for symbol in found} == {"function f(a)"}


def test_null_bytes_invalid_utf_8_and_a_line_of_a_megabyte_are_read_around() -> None:
    found = read("a.py", b"def first(): pass\n\x00\xff\xfe\ndef second(): pass\nx = '" + b"y" * 900_000 + b"'\n")
    assert {"first", "second"} <= {symbol.name for symbol in found.symbols}


def test_a_file_over_a_mebibyte_has_no_answer() -> None:
    assert tags("a.py", b"\n" * (MAX_SOURCE_BYTES + 1)) is None


def test_symbols_are_so_many_at_most() -> None:
    assert len(read("a.py", "def f(): pass\n" * (MAX_SYMBOLS + 10)).symbols) == MAX_SYMBOLS


def test_deep_nesting_is_read_without_recursion() -> None:
    depth = 3000
    nested = "".join(f"namespace n{level} {{\n" for level in range(depth)) + "}\n" * depth
    found = read("a.ts", nested).symbols

    assert len(found) == depth
    assert [symbol.parent for symbol in found] == [None, *range(depth - 1)]
    read("a.js", "(" * 20_000)
    read("a.py", "".join(f"{' ' * level}if x:\n" for level in range(500)))


def test_a_definition_that_was_not_finished_has_no_empty_name() -> None:
    for path, source in (("a.py", "def (x): pass\n"), ("a.go", "func (\n"), ("a.java", "class { void () {} }")):
        assert all(symbol.name for symbol in read(path, source).symbols)


def test_a_parent_is_the_innermost_symbol_around() -> None:
    source = """\
        class A:
            def f(self):
                class B:
                    def g(self): pass
            def h(self): pass
        def i(): pass
        """
    found = read("a.py", textwrap.dedent(source)).symbols
    names = {symbol.name: symbol.parent if symbol.parent is None else found[symbol.parent].name for symbol in found}
    assert names == {"A": None, "f": "A", "B": "f", "g": "B", "h": "A", "i": None}
