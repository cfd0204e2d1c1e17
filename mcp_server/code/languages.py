"""The languages that we read: how their files are called, their grammars, and our queries, all as data."""

from dataclasses import dataclass
from functools import cache

MAX_SOURCE_BYTES = 2**20
"""Larger sources are not read: they are generated, or data."""


@dataclass(frozen=True)
class Language:
    """A language. ``grammar`` is a module and its function; ``queries`` are files in ``queries/``, read as one.

    ``suffixes`` are ends of file names, in lower case. ``exact`` says that what the grammar calls an error is one: with
    a preprocessor, which may put any text in any place, half of the files of large projects have such errors.
    ``imports_by_name`` is told in ``mcp_server.code.reading``.
    """

    name: str
    suffixes: tuple[str, ...]
    grammar: str
    queries: tuple[str, ...]
    file_names: tuple[str, ...] = ()
    exact: bool = True
    imports_by_name: bool = False


LANGUAGES = (
    Language("python", (".py", ".pyi", ".pyw"), "tree_sitter_python:language", ("python",), imports_by_name=True),
    Language("javascript", (".js", ".jsx", ".mjs", ".cjs"), "tree_sitter_javascript:language", ("javascript",)),
    Language("typescript", (".ts", ".mts", ".cts"), "tree_sitter_typescript:language_typescript", ("typescript",)),
    Language("tsx", (".tsx",), "tree_sitter_typescript:language_tsx", ("typescript", "tsx")),
    Language("java", (".java",), "tree_sitter_java:language", ("java",)),
    Language("go", (".go",), "tree_sitter_go:language", ("go",)),
    Language("rust", (".rs",), "tree_sitter_rust:language", ("rust",)),
    Language("c", (".c",), "tree_sitter_c:language", ("c",), exact=False),
    Language(
        "cpp",
        (".cc", ".cpp", ".cxx", ".h", ".hh", ".hpp", ".hxx"),
        "tree_sitter_cpp:language",
        ("c", "cpp"),
        exact=False,
    ),
    Language("ruby", (".rb", ".rake", ".gemspec"), "tree_sitter_ruby:language", ("ruby",), ("Gemfile", "Rakefile")),
    Language("c_sharp", (".cs",), "tree_sitter_c_sharp:language", ("c_sharp",)),
    Language("php", (".php",), "tree_sitter_php:language_php", ("php",)),
    Language("kotlin", (".kt", ".kts"), "tree_sitter_kotlin:language", ("kotlin",)),
    Language("scala", (".scala", ".sc"), "tree_sitter_scala:language", ("scala",)),
    Language("bash", (".sh", ".bash"), "tree_sitter_bash:language", ("bash",)),
    Language("lua", (".lua",), "tree_sitter_lua:language", ("lua",)),
)


def language_of(path: str) -> Language | None:
    """The language of a file, by its name; None where we read none of that name."""
    name = path.rsplit("/", 1)[-1]
    _, dot, suffix = name.rpartition(".")
    return _by_name().get(name) or _by_suffix().get(f"{dot}{suffix}".lower())


@cache
def _by_suffix() -> dict[str, Language]:
    return {suffix: language for language in LANGUAGES for suffix in language.suffixes}


@cache
def _by_name() -> dict[str, Language]:
    return {name: language for language in LANGUAGES for name in language.file_names}
