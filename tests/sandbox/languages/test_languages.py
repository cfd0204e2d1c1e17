"""The languages as data, and how a tree's languages are told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from director.evidence.judgement import Controls
from domain.errors import UsageError
from sandbox import images
from sandbox.detection import detect
from sandbox.languages import LANGUAGES, compile_command, format_check_command, format_command, language, lint_command
from sandbox.test_run import harness_command


def detected(*paths: str) -> list[str]:
    """The names of the languages of a tree."""
    return [entry.name for entry in detect(paths)]


def test_every_language_has_an_image_and_every_image_a_language() -> None:
    assert sorted(LANGUAGES) == images.languages()
    assert all(name == entry.name for name, entry in LANGUAGES.items())


def test_a_language_that_there_is_not_is_named_with_those_there_are() -> None:
    for wrong in ("cobol", "", "Python", "../python"):
        with pytest.raises(UsageError, match=r"Use one of: go, java, python, typescript"):
            language(wrong)
        with pytest.raises(UsageError):
            harness_command(wrong)


def test_no_two_languages_share_a_suffix_or_a_manifest() -> None:
    for field in ("suffixes", "manifests"):
        names = [name for entry in LANGUAGES.values() for name in getattr(entry, field)]
        assert len(names) == len(set(names))


def test_no_command_is_without_an_end() -> None:
    for name in LANGUAGES:
        for build in (format_command, format_check_command, compile_command, lint_command):
            command = build(name)
            assert 0 < command.timeout_s <= 600
            assert not command.report
        assert harness_command(name).report


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ([], []),
        (["README.md", "docs/a.txt"], []),
        (["a.py"], ["python"]),
        (["a.py", "b.go", "c.go"], ["go", "python"]),
        (["package.json", "index.js", "scripts/build.py"], ["typescript", "python"]),
        (["pyproject.toml", "app/a.py", *(f"web/{n}.js" for n in range(90))], ["python", "typescript"]),
        (["pyproject.toml", "package.json", "a.py", "b.js", "c.py"], ["python", "typescript"]),
        (["pyproject.toml", "package.json", "a.py", "b.js", "c.ts"], ["typescript", "python"]),
        (["pom.xml", "src/main/java/A.java"], ["java"]),
        (["server/go.mod", "server/main.go", "a.py", "b.py"], ["go", "python"]),
        (["node_modules/x/index.js", "node_modules/x/package.json", "a.py"], ["python"]),
        (["vendor/x/x.go", "vendor/x/y.go", "target/A.java", "a.py"], ["python"]),
        (["A.java", "target/B.java"], ["java"]),
        ([".venv/lib/a.py", "main.go"], ["go"]),
        (["component.tsx", "types.d.ts"], ["typescript"]),
    ],
)
def test_manifests_at_the_top_outweigh_files_and_files_outweigh_fewer_files(
    paths: list[str], expected: list[str]
) -> None:
    assert detected(*paths) == expected


@given(st.lists(st.text(max_size=12) | st.sampled_from(["a.py", "go.mod", "x/package.json", "/", "..", "a\0.py"])))
def test_any_names_of_files_give_languages_that_there_are_in_whatever_order_they_come(paths: list[str]) -> None:
    found = detected(*paths)

    assert set(found) <= set(LANGUAGES)
    assert detected(*reversed(paths)) == found


@given(st.sampled_from(sorted(LANGUAGES)), st.text(st.sampled_from("0123456789abcdef"), min_size=6, max_size=16))
def test_a_control_file_holds_the_names_and_lies_where_its_language_looks(name: str, token: str) -> None:
    controls = Controls.named(token, name)
    source = controls.source().decode()

    assert controls.must_pass in source
    assert controls.must_fail in source
    assert controls.must_pass != controls.must_fail
    assert token in controls.path
    assert detected(controls.path) == [name]


def test_controls_are_of_python_where_nothing_is_said() -> None:
    controls = Controls(path="test_x.py", must_pass="test_a", must_fail="test_b")

    assert controls.source() == b"def test_a():\n    pass\n\n\ndef test_b():\n    assert False\n"
    assert Controls.named("ab") == Controls(path="test_ab.py", must_pass="test_aab", must_fail="test_bab")
