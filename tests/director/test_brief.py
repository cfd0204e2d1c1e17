"""What a specialist is told."""

from director.brief import LISTED_FILES, SHOWN_CHARACTERS, describe_failure, write_brief
from director.order import Order
from domain.evidence import Failure, FailureKind
from domain.files import File, FileTree
from domain.plan import Subtask
from domain.task import TaskSpec

SPEC = TaskSpec(id="t", prompt="Build a calculator.", model="m", base_commit="c")
SUBTASK = Subtask(id="code", role="code", goal="Write add.")
FAILURE = Failure(
    kind=FailureKind.ASSERTION, test_id="test_a.py::test_x", message="assert 1 == 2", path="test_a.py", line=7
)


def brief(files: FileTree, shown: tuple[str, ...] = (), failure: Failure | None = None) -> str:
    return write_brief(SPEC, Order(subtask=SUBTASK, failure=failure), files, shown)


def test_a_brief_names_the_goal_the_request_and_the_files() -> None:
    text = brief({"b.py": File(), "a.py": File()})
    assert text.startswith("Goal: Write add.")
    assert "Build a calculator." in text
    assert "Files in the workspace:\na.py\nb.py" in text
    assert "Verification failed" not in text
    assert "(none yet)" in brief({})


def test_a_brief_shows_what_it_must_without_escapes_and_follows_no_links() -> None:
    files = {"a.py": File(content=b"\x1b[31mx = 1\xff\n"), "l.py": File(link="a.py"), "b.py": File(content=b"secret")}
    text = brief(files, ("a.py", "l.py", "gone.py", "a.py"))
    assert text.count("Content of a.py:\n```\nx = 1\ufffd\n") == 1
    assert "\x1b" not in text
    assert "Content of l.py" not in text
    assert "secret" not in text


def test_a_brief_of_a_huge_workspace_stays_small() -> None:
    files = {f"f{number:04}.py": File(content=b"x" * 100_000) for number in range(1000)}
    text = brief(files, tuple(files))
    assert f"... and {1000 - LISTED_FILES} more" in text
    assert len(text) < SHOWN_CHARACTERS * 2


def test_a_failure_is_told_with_its_test_and_its_place() -> None:
    text = brief({}, failure=FAILURE)
    assert "Verification failed: assertion in test_a.py::test_x at test_a.py:7\nassert 1 == 2" in text
    long = FAILURE.model_copy(update={"message": "x" * 50_000, "path": "", "test_id": ""})
    assert describe_failure(long).startswith("Verification failed: assertion\nxxx")
    assert len(describe_failure(long)) < 4_000
