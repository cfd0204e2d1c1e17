"""Tools that read code, on a real sandbox: they see what a command there has just written."""

from pathlib import Path

import pytest

from domain.files import File
from domain.workspace import MAIN_BRANCH
from mcp_server.client import connect
from mcp_server.dispatcher import Dispatcher
from mcp_server.parsers.parsers import Parsers
from mcp_server.registry import Registry
from mcp_server.repo_map.repo_map import RepoMap
from mcp_server.session import ToolSession
from mcp_server.tools import Means, specialist_tools
from storage.workspace import WorkspaceStore
from tests.mcp_server.place import FREE, Ears, caller
from tests.sandbox.docker_place import docker_place


@pytest.mark.usefixtures("docker_engine")
async def test_code_that_a_command_wrote_in_a_container_is_outlined_mapped_and_guarded(tmp_path: Path) -> None:
    workspace = await WorkspaceStore(tmp_path / "work").create("task")
    start = await workspace.start({"a.py": File(content=b"def old(): ...\n")})
    await workspace.branch(MAIN_BRANCH, start.commit)
    async with Parsers() as parsers, docker_place() as there, there.lease() as sandbox:
        session = ToolSession(sandbox, workspace, MAIN_BRANCH, caller(), FREE)
        await session.open()
        tools = specialist_tools(Means(syntax=parsers, repo_map=RepoMap(parsers)))
        async with connect(session, Dispatcher(Registry(tools), Ears())) as client:
            command = "printf 'class New:\\n    def method(self): ...\\n' > b.py; ln -s /etc/passwd p.py"
            assert (await client.call("shell", {"command": command})).ok
            outline = (await client.call("outline", {"path": "b.py"})).text
            drawn = (await client.call("repo_map", {"mentioned": ["b.py"]})).text
            refused = await client.call("write_file", {"path": "b.py", "content": "class New(:\n"})
    assert outline.endswith("     1-2      class New\n     2-2        def method(self)")
    assert drawn.split("\n")[1:3] == ["b.py:", "  class New"]
    assert "p.py" not in drawn
    assert "would not parse any more (line 1)" in refused.text
