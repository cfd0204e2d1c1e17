"""A specialist's end of MCP."""

from pathlib import Path
from typing import Any

import pytest

from domain.errors import ModelUnavailable, SandboxLost
from tests.mcp_server.place import open_place


async def test_an_observation_names_the_snapshot_and_what_changed(tmp_path: Path) -> None:
    async with open_place(tmp_path, {"a.txt": "1"}) as place:
        before = place.client.commit
        observation = await place.call("shell", command="echo 2 > b.txt; rm a.txt")
        assert observation.ok
        assert observation.changed == ("a.txt", "b.txt")
        assert observation.commit == place.client.commit != before
        assert (await place.call("read_file", path="b.txt")).changed == ()


async def test_only_a_submission_carries_a_summary(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        assert (await place.call("submit", summary="all done")).submitted == "all done"
        assert (await place.call("shell", command="true")).submitted is None


async def test_a_failure_of_infrastructure_is_raised_and_never_shown_to_the_model(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        place.sandboxes.processes[0].kill()
        for name, arguments in (("shell", {"command": "true"}), ("submit", {"summary": "done"})):
            with pytest.raises(SandboxLost):
                await place.client.call(name, arguments)


@pytest.mark.parametrize("error", [SandboxLost(), ModelUnavailable(), ZeroDivisionError()])
async def test_what_is_raised_while_connected_comes_out_as_it_is_and_in_no_group(
    error: Exception, tmp_path: Path
) -> None:
    with pytest.raises(type(error)) as raised:
        async with open_place(tmp_path):
            raise error
    assert raised.value is error


def nested(depth: int) -> Any:
    value: Any = "x"
    for at in range(depth):
        value = [value] if at % 2 else {"x": value}
    return value


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (nested(50), True),
        (nested(300), False),
        (nested(5_000), False),
        ({"a": [{"\ud800": 1}]}, False),
        (10**400, True),
    ],
)
async def test_what_no_transport_carries_is_answered_and_not_raised(value: Any, sent: bool, tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        await place.client.schemas()
        for name in ("read_file", "nothing\ud800"):
            observation = await place.client.call(name, {"path": value})
            assert not observation.ok
            assert observation.problem is not None
            assert ("cannot be read" in observation.text) != sent
        assert len(place.audit.heard) == (2 if sent else 0)


TESTS = "from app import x\n\n\ndef test_good():\n    assert x\n\n\ndef test_bad():\n    assert x == 2\n"


async def test_a_run_of_the_tests_says_which_of_them_failed_and_no_other_call_does(tmp_path: Path) -> None:
    async with open_place(tmp_path, {"app.py": "x = 1\n", "test_app.py": TESTS}) as place:
        tests = (await place.call("run_tests")).tests
        assert tests is not None
        assert (tests.collected, tests.passed, tests.failed, tests.errors) == (2, 1, 1, 0)
        assert tests.failing == ("test_app.py::test_bad",)
        chosen = (await place.call("run_tests", selection=["test_app.py::test_good"])).tests
        assert chosen is not None
        assert (chosen.selection, chosen.collected, chosen.failing) == (("test_app.py::test_good",), 1, ())
        assert (await place.call("shell", command="python3 -m pytest -q")).tests is None


async def test_an_observation_carries_the_hash_of_the_files_which_is_the_same_again_when_they_are(
    tmp_path: Path,
) -> None:
    async with open_place(tmp_path, {"a.txt": "1"}) as place:
        seen = [await place.call("write_file", path="a.txt", content=text) for text in ("2", "1", "2")]
        assert seen[0].tree == seen[2].tree != seen[1].tree
        assert len({observation.commit for observation in seen}) == 3


async def test_looking_is_told_from_doing(tmp_path: Path) -> None:
    async with open_place(tmp_path, {"a.txt": "1"}) as place:
        await place.client.schemas()
        assert (await place.call("read_file", path="a.txt")).read_only
        assert not (await place.call("shell", command="cat a.txt")).read_only


async def test_a_branch_that_is_rolled_back_has_the_old_files_here_in_the_sandbox_and_in_the_workspace(
    tmp_path: Path,
) -> None:
    async with open_place(tmp_path, {"a.txt": "1", "b.txt": "1"}) as place:
        good = await place.call("write_file", path="a.txt", content="2")
        bad = await place.call("shell", command="echo 3 > a.txt; rm b.txt; mkdir c; echo 1 > c/d.txt")
        back = await place.client.roll_back(good.commit)
        assert (back.commit, back.tree) == (good.commit, good.tree)
        assert back.undone == ("a.txt", "b.txt", "c/d.txt")
        tree = await place.tree()
        assert {path: file.content for path, file in tree.items()} == {"a.txt": b"2", "b.txt": b"1"}
        # What was undone is still there to be looked at, and work goes on from the old snapshot.
        assert "c/d.txt" in await place.workspace.files(bad.commit)
        again = await place.call("write_file", path="e.txt", content="5")
        assert set(await place.workspace.files(again.commit)) == {"a.txt", "b.txt", "e.txt"}
