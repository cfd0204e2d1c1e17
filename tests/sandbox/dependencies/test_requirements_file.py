"""Reading requirements files."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import DependenciesFailed
from domain.files import File
from sandbox.dependencies.requirements_file import read_requirements
from tests.sandbox.dependencies.trees import named, requirements


def test_included_files_are_found_relative_to_who_includes_them() -> None:
    files = {
        "requirements.txt": "-r requirements/dev.txt\n--constraint=limits.txt\nsix\n",
        "requirements/dev.txt": "-rbase.txt\n-c ../limits.txt\n",
        "requirements/base.txt": "attrs==1\n",
        "limits.txt": "six<2\n",
        "other.txt": "no\n",
    }

    found = read_requirements(named(dict(files)))

    assert set(found.files) == set(files) - {"other.txt"}


def test_files_that_include_each_other_are_read_once() -> None:
    assert set(read_requirements(named({"requirements.txt": "-r a.txt", "a.txt": "-r requirements.txt"})).files) == {
        "requirements.txt",
        "a.txt",
    }


@pytest.mark.parametrize(
    "line",
    [
        "six", "six==1.17.0", "six>=1,<2 ; python_version > '3'", "requests[socks]~=2.0", "# -e .", "six  # -e .", "",
        "six==1 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11", "--require-hashes", "--pre", "--no-binary :all:",
        "--only-binary=:all:", "--no-index", "a.b-c_d", "six===1.0", "--use-feature=x",
    ],
)  # fmt: skip
def test_ordinary_lines_pass(line: str) -> None:
    assert read_requirements(requirements(line)).urls == ()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-e .", "editable"), ("-e.", "editable"), ("--editable=./x", "editable"),
        ("git+https://host.example/x.git", "version control"), ("x @ git+ssh://git@host.example/x", "version control"),
        ("x@git+https://host.example/x", "version control"), ("hg+http://host.example/x", "version control"),
        (".", "local"), ("./x", "local"), ("../x", "local"), ("/x", "local"), ("~/x", "local"), ("x/y", "local"),
        ("dist/x-1.0-py3-none-any.whl", "local"), ("x-1.0.tar.gz", "local"), ("x.whl ; python_version > '3'", "local"),
        ("file:///x", "local"), ("x @ file:///x", "local"), ("x @ ./y", "local"), ("x\\y", "local"),
        ("--find-links ./wheels", "local index"), ("-i file:///x", "local index"), ("-f /x", "local index"),
        ("--trusted-host host.example", "TLS"), ("-r http://host.example/r.txt", "by URL"),
        ("-r missing.txt", "missing"),
        ("-r ../outside.txt", "outside"), ("-c /etc/passwd", "/etc/passwd"),
    ],
)  # fmt: skip
def test_sources_that_a_container_does_not_see_are_refused_with_place_and_remedy(line: str, said: str) -> None:
    with pytest.raises(DependenciesFailed, match=said) as caught:
        read_requirements(requirements("six", line))

    assert caught.value.reason == "manifest"
    assert "requirements.txt:2" in str(caught.value)


def test_urls_are_told_with_their_places() -> None:
    lines = (
        "--index-url https://a.example/simple", "-i https://b.example/simple", "six \\", "  ==1", "# x",
        "x @ https://c.example/x.whl", "https://d.example/y.tar.gz", "--extra-index-url=http://e.example/", "-fhttp://f.example/",
    )  # fmt: skip

    urls = read_requirements(requirements(*lines)).urls

    assert [(named.url, named.place.rpartition(":")[2]) for named in urls] == [
        ("https://a.example/simple", "1"), ("https://b.example/simple", "2"), ("https://c.example/x.whl", "6"),
        ("https://d.example/y.tar.gz", "7"), ("http://e.example/", "8"), ("http://f.example/", "9"),
    ]  # fmt: skip


def test_a_link_is_no_requirements_file() -> None:
    with pytest.raises(DependenciesFailed):
        read_requirements({"requirements.txt": File(link="other.txt")})


def test_a_file_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(DependenciesFailed, match="UTF-8"):
        read_requirements(named({"requirements.txt": b"\xff"}))


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = read_requirements(named({"requirements.txt": text.encode("utf-8", "replace")}))
    except DependenciesFailed as error:
        assert error.reason == "manifest"  # noqa: PT017 - most of the drawn texts raise nothing, which is right as well
        return
    assert set(found.files) == {"requirements.txt"}
