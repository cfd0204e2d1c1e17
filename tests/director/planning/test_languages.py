"""The language and the framework of a task."""

import pytest

from director.planning.languages import find_frameworks, find_language
from domain.files import File, FileTree
from sandbox.languages import LANGUAGES

PROMPTS = {
    "Create a fibonacci function": "python",
    "Write a function in Go that reverses a list": "go",
    "Go through the list and write a function that reverses it": "python",
    "Write a Java class Stack": "java",
    "Write a JavaScript class Stack": "typescript",
    "Create src/sum.ts with a function sum": "typescript",
    "Port this Python script to TypeScript": "python",
    "Write a golang http server": "go",
}


def tree(**files: str) -> FileTree:
    return {path.replace("__", "/").replace("_dot_", "."): File(content=text.encode()) for path, text in files.items()}


@pytest.mark.parametrize(("prompt", "name"), PROMPTS.items(), ids=PROMPTS)
def test_the_language_of_a_request(prompt: str, name: str) -> None:
    assert find_language(prompt, {}).name == name


def test_files_tell_more_than_words_do() -> None:
    files = tree(main_dot_go="package main", go_dot_mod="module a")
    assert find_language("Write it as Python would have it", files).name == "go"


@pytest.mark.parametrize(
    ("name", "files", "found"),
    [
        ("python", tree(pyproject_dot_toml="dependencies = ['flask>=3', 'pytest']"), ("pytest", "flask")),
        ("python", tree(tests__test_a_dot_py="import unittest\n"), ("unittest",)),
        ("typescript", tree(package_dot_json='{"devDependencies": {"vitest": "^3"}}'), ("vitest",)),
        ("java", tree(src__test__ATest_dot_java="import org.junit.jupiter.api.Test;"), ("JUnit 5",)),
        ("go", tree(a_test_dot_go='import "testing"'), ("testing",)),
        ("python", tree(a_dot_py="import flask"), ()),
    ],
)
def test_the_frameworks_that_manifests_and_tests_name(name: str, files: FileTree, found: tuple[str, ...]) -> None:
    assert find_frameworks(files, LANGUAGES[name]) == found


def test_files_that_are_no_text_are_read_all_the_same() -> None:
    assert find_frameworks({"test.bin": File(content=bytes(range(256)))}, LANGUAGES["python"]) == ()
