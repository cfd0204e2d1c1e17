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
