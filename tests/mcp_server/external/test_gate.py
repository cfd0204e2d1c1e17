"""What passes a gate, and how much noise it bears."""

import anyio
import mcp.types as types
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.shared.message import SessionMessage

from mcp_server.external.gate import MESSAGE_COST, NOISE_BYTES, NOISE_BYTES_PER_S, WAITING, Allowance, Flooded, Gate
from mcp_server.external.stdio import MOST_LINE, Lines, ServerEnded
from tests.mcp_server.external.stage import Clock


def request(number: int | str, method: str = "tools/list") -> SessionMessage:
    return SessionMessage(types.JSONRPCRequest(jsonrpc="2.0", id=number, method=method))


def answer(number: int | str) -> SessionMessage:
    return SessionMessage(types.JSONRPCResponse(jsonrpc="2.0", id=number, result={}))


def notice(method: str) -> SessionMessage:
    return SessionMessage(types.JSONRPCNotification(jsonrpc="2.0", method=method))


async def passed(gate: Gate) -> list[types.JSONRPCMessage]:
    """What has come through, when no more comes."""
    gate.end()
    return [item.message async for item in gate.incoming if isinstance(item, SessionMessage)]


async def test_an_answer_passes_once_and_only_to_what_was_asked() -> None:
    gate = Gate()
    await gate.send(request(7))
    for number in (8, "7", 7, "x"):
        await gate.deliver(answer(number), 10)
    assert [getattr(message, "id", None) for message in await passed(gate)] == ["7"]
    gate.dispose()


async def test_notices_are_dropped_and_a_changed_list_is_noted() -> None:
    gate = Gate()
    for method in ("notifications/progress", "notifications/message", "notifications/cancelled"):
        await gate.deliver(notice(method), 10)
    seen = [gate.changed]
    await gate.deliver(notice("notifications/tools/list_changed"), 10)
    assert [*seen, gate.changed] == [False, True]
    assert await passed(gate) == []
    gate.dispose()


async def test_a_server_that_takes_nothing_does_not_make_anybody_wait() -> None:
    gate = Gate()
    for number in range(WAITING):
        await gate.send(request(number))
    with pytest.raises(anyio.BrokenResourceError):
        await gate.send(request(WAITING))
    await gate.deliver(request("q", "sampling/createMessage"), 10)
    await gate.aclose()
    gate.dispose()


def test_noise_is_borne_up_to_its_supply_which_fills_up_again() -> None:
    clock = Clock()
    allowance = Allowance(clock)
    allowance.take(NOISE_BYTES - MESSAGE_COST)
    with pytest.raises(Flooded):
        allowance.take(0)
    clock.now += 2 * NOISE_BYTES / NOISE_BYTES_PER_S
    allowance.take(NOISE_BYTES - MESSAGE_COST)
    with pytest.raises(Flooded):
        allowance.take(0)


@given(st.lists(st.binary(max_size=20) | st.just(b"\n")))
def test_lines_are_those_of_the_whole_however_it_is_cut(pieces: list[bytes]) -> None:
    lines = Lines()
    found = [line for piece in pieces for line in lines.feed(piece)]
    assert found == b"".join(pieces).split(b"\n")[:-1]


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_line_may_be_so_long_and_no_longer(end: bytes) -> None:
    lines = Lines()
    lines.feed(b"x" * MOST_LINE)
    with pytest.raises(ServerEnded):
        lines.feed(b"x" + end)
