"""Documents and their sections."""

from hypothesis import given
from hypothesis import strategies as st

from domain.files import File, FileTree
from mcp_server.context.documents import SECTION_LINES, documents, read_text, readme, sections, title_of


def tree(**texts: str) -> FileTree:
    return {path: File(content=text.encode()) for path, text in texts.items()}


def test_documents_are_told_by_their_names_the_readme_and_those_near_the_top_first() -> None:
    paths = [
        "docs/a.md", "README.md", "CHANGES", "src/notes.rst", "docs/plan.txt", "a.adoc", "docs/sub/README.md",
        # and none of these
        "app.py", "requirements.txt", "docs/requirements-dev.txt", "node_modules/x/README.md", "vendor/x/a.md",
        "data.txt", ".git/x.md", "CMakeLists.txt", "LICENSES.json", ".venv/a.md",
    ]  # fmt: skip
    files: FileTree = {path: File() for path in paths} | {"LINK.md": File(link="README.md")}
    expected = ["README.md", "CHANGES", "a.adoc", "docs/a.md", "docs/plan.txt", "src/notes.rst", "docs/sub/README.md"]
    assert documents(files) == expected
    assert readme(files) == "README.md"
    assert readme({"docs/README.md": File()}) is None


def test_sections_begin_at_headings_of_several_kinds_and_not_inside_of_code() -> None:
    text = (
        "before\n\n# One #\nfirst\n```sh\n# no heading\n```\n## Two\nTitle\n=====\nthird\n\nSmall\n-----\nfourth\n"
        "== Five\nfifth\n| a |\n|---|\n"
    )
    found = [(one.heading, one.line, one.text) for one in sections("a.md", text)]
    assert found == [
        ("", 1, "before\n"),
        ("One", 3, "# One #\nfirst\n```sh\n# no heading\n```"),
        ("Two", 8, "## Two"),
        ("Title", 9, "Title\n=====\nthird\n"),
        ("Small", 13, "Small\n-----\nfourth"),
        ("Five", 16, "== Five\nfifth\n| a |\n|---|"),
    ]
    assert title_of(text) == "One"
    assert title_of("no heading\n") == ""


def test_a_long_section_comes_in_pieces_with_its_heading() -> None:
    text = "# Long\n" + "line\n" * (3 * SECTION_LINES)
    found = list(sections("a.md", text))
    assert {one.heading for one in found} == {"Long"}
    assert [one.line for one in found] == [1, 61, 121, 181]
    assert "\n".join(one.text for one in found) + "\n" == text


@given(st.text(alphabet="#=-~`a \n*", max_size=300))
def test_sections_hold_every_line_that_is_not_blank_in_order(text: str) -> None:
    found = list(sections("a.md", text))
    held = [line for one in found for line in one.text.split("\n") if line.strip()]
    assert held == [line for line in text.split("\n") if line.strip()]
    assert all(text.split("\n")[one.line - 1] == one.text.split("\n")[0] for one in found)


def test_what_is_no_text_is_not_read_and_what_is_no_utf_8_is_replaced() -> None:
    assert read_text(File(content=b"\x89PNG\0\0\x01")) is None
    assert read_text(File(content="hallo".encode("utf-16"))) is None
    assert read_text(File(link="README.md")) is None
    assert read_text(File(content=b"\xef\xbb\xbfgr\xfc\xdf \x1b[31mred\x1b[0m\x07")) == "gr\ufffd\ufffd red"
    assert read_text(File(content=b"a" * 50_000_000), 10) == "a" * 10
