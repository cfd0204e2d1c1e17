"""Keys of the service that must be nowhere: not in a container, not in what the engine knows, not in what is told."""

import asyncio
import json
import logging
import time
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.docker_place import until
from tests.sandbox.hostile.arena import arena, record
from tests.sandbox.hostile.cases import CANARY

KEY = "sk-canary-0000-not-a-key-1f83"
VARIABLES = ("OPENAI_API_KEY", "SOUNDSTAGE_ANYTHING", "PIP_INDEX_URL", "HTTPS_PROXY", "AWS_SECRET_ACCESS_KEY")


@pytest.fixture(autouse=True)
def _engine(docker_engine: None) -> None:
    """All of them need one."""


async def test_a_key_of_the_service_is_nowhere_that_a_sandbox_reaches(
    isolation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, KEY)
    caplog.set_level(logging.DEBUG)
    since = int(time.time())
    async with arena(tmp_path, isolation) as there:
        async with there.lease() as sandbox:
            (container,) = await asyncio.to_thread(there.place.mine)
            inspected = await asyncio.to_thread(there.place.client.inspect_container, container["Id"])
            around = there.around.environment() | {"CANARY_REVERSED": KEY[::-1]}
            command = (await there.put(sandbox, CANARY)).model_copy(update={"env": around})
            result = await sandbox.run(command)
            fetched = await sandbox.fetch()
        await until(lambda: not there.place.mine())
        wanted: dict[str, Any] = {"since": since, "until": time.time(), "filters": {"container": container["Id"]}}
        told_by_engine = there.place.client.events(**wanted, decode=True)
        events = await asyncio.to_thread(list, told_by_engine)
    assert (result.exit_code, b"ESCAPED" in result.stdout, result.stdout.count(b"contained: ")) == (0, False, 2)
    assert {"create", "start", "destroy"} <= {event["Action"] for event in events}
    told = [json.dumps(inspected), json.dumps(events), result.text(), fetched.model_dump_json(), caplog.text]
    assert [text for text in told if KEY in text] == []
    record(CANARY, isolation, result.verdict)
