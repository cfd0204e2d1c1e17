"""Random and adversarial calls over every tool: a small draw here, 10,000 by ``bench/mcp_fuzz.py``."""

from mcp_server.tools import SPECIALIST_TOOLS
from tests.mcp_server.fuzz import SLOW, fuzzing
from tests.mcp_server.fuzz_values import Draws
from tests.mcp_server.ide.people_fuzz import play as play_people

SEED, COUNT = 1, 300


async def test_no_arguments_crash_a_tool_lead_out_of_the_workspace_or_get_an_answer_of_no_type() -> None:
    async with fuzzing() as fuzz:
        await fuzz.play(SEED, range(COUNT))

    assert set(fuzz.played.calls) >= {tool.name for tool in SPECIALIST_TOOLS} - {"run_tests"}
    assert {"done", "failed", "refused"} <= set(fuzz.played.verdicts)


def test_the_same_seed_and_number_give_the_same_call_and_most_calls_differ() -> None:
    draws = Draws(SPECIALIST_TOOLS, SLOW, ["http://127.0.0.1/"])
    calls = [repr(draws.call(1, number))[:500] for number in (3, 4, 5, 3)]
    assert calls[0] == calls[3]
    assert len(set(calls)) == 3


async def test_no_arguments_of_a_person_crash_a_tool_or_change_a_task_that_has_ended() -> None:
    ended = await play_people(SEED, range(COUNT))

    assert ended["done"]
    assert ended["refused"]
