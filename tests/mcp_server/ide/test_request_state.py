"""What a client is given when its call is interrupted for a question, and what it may hand back."""

from pathlib import Path
from typing import Any

import mcp.types as types
import pytest
from mcp.client import Client
from mcp.client.session import ClientRequestContext
from mcp.shared.exceptions import MCPError

from domain.approval import ApprovalAnswer
from mcp_server.ide.server import build_ide_server
from mcp_server.ide.session import IdeSession
from mcp_server.ide.updates import Context
from tests.app.test_task_desk import careful
from tests.director.stage import open_stage
from tests.mcp_server.ide.front_desk import who

CALL = {"prompt": "Write the module calc.", "approval": "destructive", "wait": True}
YES: types.InputResponses = {"code:1:1:1": types.ElicitResult(action="accept", content={"approve": True})}
INVENTED = ["", "{}", "null", '{"task_id": "%s", "seq": 0, "rounds": 0}', "v1.", "\x00", "9" * 100_000]


class Door:
    """A client of one server, in the name of whoever is ``caller``."""

    def __init__(self, stage: Any) -> None:
        self.caller = who()
        self.tasks = stage.product.tasks
        self.client = Client(build_ide_server(self._session, stage.product.dispatcher), elicitation_callback=_nobody)

    def _session(self, context: Context) -> IdeSession:
        assert context.method
        return IdeSession(self.caller, self.tasks)

    async def call(
        self, state: str | None, responses: types.InputResponses | None = YES, **arguments: Any
    ) -> types.CallToolResult | types.InputRequiredResult:
        """What run_task answers."""
        return await self.client.session.call_tool(
            "run_task", CALL | arguments, request_state=state, input_responses=responses, allow_input_required=True
        )

    async def interrupted(self) -> str:
        """The state that comes with the first question of a task."""
        result = await self.call(None, None)
        assert isinstance(result, types.InputRequiredResult)
        assert result.request_state is not None
        return result.request_state

    async def task_id(self) -> str:
        """The id of the one task."""
        (task,) = (await self.tasks.page("local", None, None, 10)).tasks
        return str(task.id)


async def _nobody(
    context: ClientRequestContext, params: types.ElicitRequestParams
) -> types.ElicitResult | types.ErrorData:
    raise AssertionError(f"nobody is asked here: {context}, {params}")


class Counted:
    """A task service that counts the answers that it is given."""

    def __init__(self, tasks: Any) -> None:
        self._tasks = tasks
        self.given: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tasks, name)

    async def answer(self, owner: str, task_id: str, question_id: str, answer: ApprovalAnswer, by: str) -> None:
        """Notes which question it is about."""
        self.given.append(question_id)
        await self._tasks.answer(owner, task_id, question_id, answer, by)


async def test_of_the_answers_that_come_along_only_those_to_open_questions_are_looked_at(tmp_path: Path) -> None:
    async with open_stage(tmp_path, careful()) as stage:
        door = Door(stage)
        door.tasks = counted = Counted(stage.product.tasks)
        no = types.ElicitResult(action="decline")
        flood: types.InputResponses = {f"code:1:1:{number}": no for number in range(2, 1000)}
        async with door.client:
            result = await door.call(await door.interrupted(), flood | YES)
            assert isinstance(result, types.CallToolResult)
        assert counted.given == ["code:1:1:1"]


async def test_a_state_that_the_server_did_not_give_is_refused(tmp_path: Path) -> None:
    async with open_stage(tmp_path, careful()) as stage, Door(stage).client as client:
        for state in INVENTED:
            with pytest.raises(MCPError, match="Invalid or expired requestState"):
                await client.session.call_tool("run_task", CALL, request_state=state, allow_input_required=True)
        assert (await stage.product.tasks.page("local", None, None, 10)).tasks == ()


async def test_a_state_leads_on_with_the_call_that_it_was_given_for_and_with_no_other(tmp_path: Path) -> None:
    async with open_stage(tmp_path, careful()) as stage:
        door = Door(stage)
        async with door.client:
            state = await door.interrupted()
            task_id, at = await door.task_id(), len(state) // 2
            tampered = state[:at] + ("A" if state[at] != "A" else "B") + state[at + 1 :]
            tries: list[tuple[str, dict[str, Any]]] = [(tampered, {}), (state[:-4], {}), (state, {"prompt": "Else."})]
            for given, arguments in tries:
                with pytest.raises(MCPError, match="Invalid or expired requestState"):
                    await door.call(given, **arguments)
            assert task_id not in state
            assert len((await door.tasks.get("local", task_id)).questions) == 1

            result = await door.call(state)
            assert isinstance(result, types.CallToolResult)
            assert result.structured_content is not None
            assert (result.structured_content["task_id"], result.structured_content["status"]) == (task_id, "unchecked")


async def test_a_state_that_was_given_to_somebody_else_is_refused(tmp_path: Path) -> None:
    async with open_stage(tmp_path, careful()) as stage:
        door = Door(stage)
        async with door.client:
            state = await door.interrupted()
            door.caller = who("bob")
            for responses in (YES, None):
                with pytest.raises(MCPError, match="Invalid or expired requestState"):
                    await door.call(state, responses)
        assert len((await door.tasks.get("local", await door.task_id())).questions) == 1
