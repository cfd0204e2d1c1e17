"""A whole task through the MCP server for people: scripted model, real containers."""

import asyncio
import os
from pathlib import Path

import pytest

from app.bootstrap import build
from app.models import choose
from app.settings import Settings
from tests.app.conftest import containers_of
from tests.mcp_server.ide.front_desk import ERAS, Told, connected


@pytest.mark.usefixtures("docker_engine")
@pytest.mark.parametrize("era", ERAS)
async def test_a_task_is_run_and_proven_in_containers_for_somebody_in_an_ide(era: str, tmp_path: Path) -> None:
    settings = Settings(soundstage_home=tmp_path, docker_host=os.environ.get("DOCKER_HOST"))
    async with build(settings, await choose(settings, "scripted")) as product, connected(product, era) as desk:
        told = Told()
        result = await desk.call("run_task", told, prompt="Create a fibonacci function with tests", wait=True)
        state = result.structured_content
        assert state is not None
        assert (state["status"], state["grade"], state["attempts"]) == ("solved", "checked", 2)
        marks = ["plan (new_code)", "on the stub: 10 failed", "9 failed", "correction, attempt 2", "10 passed"]
        places = [next(at for at, line in enumerate(told.messages) if mark in line) for mark in marks]
        assert places == sorted(places)
        evidence = await desk.data("get_evidence", task_id=state["task_id"])
        assert evidence["found"]["isolation"] == "docker/runc"
        assert (evidence["found"]["passed"], len(evidence["tests"])) == (True, 10)
        patch = await desk.data("get_patch", task_id=state["task_id"])
        assert patch["paths"] == ["fibonacci.py", "tests/test_fibonacci.py"]
        assert "+def fibonacci(n: int) -> int:" in patch["patch"]
        (context,) = (await desk.client.read_resource(f"context://{state['task_id']}/repository")).contents
        assert "  def fibonacci(n: int) -> int" in context.model_dump()["text"]
    assert await asyncio.to_thread(containers_of, settings.home_id) == []
