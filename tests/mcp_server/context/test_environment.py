"""Languages, versions and test commands of a project."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.files import File, FileTree
from domain.tokens import estimate_text
from mcp_server.context.environment import EnvironmentContext, environment_of
from mcp_server.context.manifests import READERS, declared
from mcp_server.context.provider import Topic


def tree(texts: dict[str, str]) -> FileTree:
    return {path: File(content=text.encode()) for path, text in texts.items()}


MANIFESTS = [
    ("pyproject.toml", '[project]\nrequires-python = ">=3.11"\n[tool.pytest.ini_options]\n',
     ["Python >=3.11", "python3 -m pytest"]),
    ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.10"\n', ["Python ^3.10"]),
    ("pyproject.toml", '[tool.poetry.dependencies]\npython = {version = "3.12"}\n', ["Python 3.12"]),
    ("setup.cfg", "[options]\npython_requires = >=3.9\n[tool:pytest]\n", ["Python >=3.9", "python3 -m pytest"]),
    ("setup.py", 'setup(python_requires=">=3.8")\n', ["Python >=3.8"]),
    ("tox.ini", "[testenv]\n", ["tox"]),
    (".python-version", "3.12.1\n", ["Python 3.12.1"]),
    ("package.json", '{"engines": {"node": ">=20"}, "scripts": {"test": "vitest"}, "packageManager": "pnpm@9.1.0", '
     '"devDependencies": {"typescript": "^5.4"}}',
     ["Node.js >=20", "TypeScript ^5.4", "package manager pnpm@9.1.0", "pnpm test"]),
    ("package.json", '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}', []),
    (".nvmrc", "v22\n", ["Node.js v22"]),
    ("go.mod", "module example.com/x\n\ngo 1.22\n", ["Go 1.22", "go test ./..."]),
    ("pom.xml", "<project><properties><maven.compiler.release>21</maven.compiler.release></properties></project>",
     ["Java 21", "mvn test"]),
    ("build.gradle.kts", "languageVersion = JavaLanguageVersion.of(17)", ["Java 17", "gradle test"]),
    ("Cargo.toml", '[package]\nedition = "2021"\nrust-version = "1.75"\n',
     ["Rust 1.75", "Rust edition 2021", "cargo test"]),
    ("composer.json", '{"require": {"php": ">=8.2"}, "scripts": {"test": "phpunit"}}', ["PHP >=8.2", "composer test"]),
    ("Gemfile", 'source "x"\nruby "3.3.0"\n', ["Ruby 3.3.0"]),
    ("app.csproj", "<TargetFramework>net8.0</TargetFramework>", [".NET net8.0", "dotnet test"]),
    ("CMakeLists.txt", "cmake_minimum_required(VERSION 3.20)\n", ["CMake 3.20"]),
    (".tool-versions", "python 3.11.4\nnodejs 20.1 # x\n", ["python 3.11.4", "nodejs 20.1"]),
    ("Makefile", "build:\n\ntest: build\n\tpytest\n", ["make test"]),
    ("justfile", "test *args:\n  pytest\n", ["just test"]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "text", "expected"), MANIFESTS)
def test_a_manifest_tells_versions_and_how_tests_are_run(path: str, text: str, expected: list[str]) -> None:
    found = declared(tree({path: text}), path)
    assert [f"{one.what} {one.value}".strip() for one in found] == expected
    assert all(one.path == path for one in found)


GARBAGE = [
    b"", b"\0\0\0", b"\xff\xfe", b"[" * 100_000, b"{" * 100_000, b'{"engines": 5, "scripts": [1]}', b"[1, 2]", b"null",
    b"project = 1", b"[project]\nrequires-python = 5\n", b"<" * 1000, b"go " * 10_000, b"go", b"x" * 5_000_000,
    b'{"engines": {"node": "' + b"9" * 100_000 + b'"}}', b"\n" * 100_000, b"a.b.c = 1\n" * 1000,
]  # fmt: skip


@pytest.mark.parametrize("name", [*READERS, "x.csproj"])
def test_garbage_in_a_manifest_declares_nothing_that_is_long_or_no_text(name: str) -> None:
    for content in GARBAGE:
        for one in declared({name: File(content=content)}, name):
            assert len(one.value) <= 40
            assert one.value.isprintable()


@given(st.sampled_from(list(READERS)), st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_content_of_a_manifest_is_read_or_left_out(name: str, content: bytes) -> None:
    environment_of({name: File(content=content), "src/" + name: File(content=content)})


def test_languages_are_counted_and_what_was_installed_counts_for_nothing() -> None:
    files = tree({f"src/f{number}.py": "" for number in range(3)} | {"a.go": "", "node_modules/x/i.js": "", "b.rs": ""})
    found = environment_of(files | {"link.py": File(link="a.go")})
    assert found.files == {"python": 3, "go": 1, "rust": 1}
    assert list(found.files) == ["python", "go", "rust"]
    assert found.supported == ("Python", "Go")


def test_tests_without_a_manifest_are_seen_and_deep_manifests_are_not_read() -> None:
    found = environment_of(tree({"tests/test_a.py": "", "a/b/c/go.mod": "go 1.22\n", "web/package.json": '{"scripts": '
                                 '{"test": "x"}}'}))  # fmt: skip
    assert [(one.value, one.path) for one in found.tests] == [
        ("npm test", "web/package.json"), ("python3 -m pytest", "tests/test_a.py")
    ]  # fmt: skip


async def test_the_environment_is_told_within_its_budget_between_marks() -> None:
    files = tree({"pyproject.toml": MANIFESTS[0][1], "a.py": "", "go.mod": "go 1.22\n\x1b[31m"})
    text = await EnvironmentContext().give(files, Topic(), 400)
    assert text.split("\n")[1:-1] == [
        "Source files by language: python 1",
        "Sandboxes are made for: Python, Go",
        "Declared: Go 1.22 (go.mod); Python >=3.11 (pyproject.toml)",
        "Tests seem to be run by: go test ./... (go.mod); python3 -m pytest (pyproject.toml)",
    ]
    assert await EnvironmentContext().give({}, Topic(), 400) == ""
    for budget in (0, 30, 60, 100):
        cut = await EnvironmentContext().give(files, Topic(), budget)
        assert not cut or estimate_text(cut) <= budget
