"""A specialist's working place for tests: a real session and a real MCP client, on a sandbox without isolation."""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.approval import ApprovalPolicy, Approver
from domain.audit import AuditEntry
from domain.command import Command
from domain.files import File, FileTree
from domain.workspace import MAIN_BRANCH, Workspace
from mcp_server.caller import Caller, Permission
from mcp_server.client import Observation, ToolClient, connect
from mcp_server.dispatcher import Dispatcher
from mcp_server.protection import Protection
from mcp_server.registry import Registry
from mcp_server.session import ToolSession
from mcp_server.tools import SPECIALIST_TOOLS
from sandbox.base import IGNORED, Sandbox, SandboxRequest
from sandbox.fake import FakeSandboxes
from storage.workspace import WorkspaceStore

ALL = frozenset(Permission)
FREE = Protection()
READER = """
import json, os
found = {}
for folder, _, files in os.walk("."):
    for path in (os.path.join(folder, name) for name in files):
        if os.path.isfile(path) and not os.path.islink(path):
            with open(path, "rb") as file:
                found[os.path.relpath(path)] = [file.read().hex(), bool(os.stat(path).st_mode & 0o100)]
print(json.dumps(found))
"""


class Ears:
    """An audit log that remembers."""

    def __init__(self) -> None:
        self.heard: list[AuditEntry] = []

    def record(self, entry: AuditEntry) -> None:
        """Remembers it."""
        self.heard.append(entry)


def caller(permissions: frozenset[Permission] = ALL, approval: ApprovalPolicy = ApprovalPolicy.AUTO) -> Caller:
    """Somebody at work on a task."""
    return Caller(actor="test", permissions=permissions, task_id="task", subtask_id="one", approval=approval)


@dataclass(frozen=True)
class Place:
    """A session with its client, and what it stands on."""

    session: ToolSession
    client: ToolClient
    sandbox: Sandbox
    workspace: Workspace
    sandboxes: FakeSandboxes
    audit: Ears

    async def call(self, name: str, **arguments: Any) -> Observation:
        """What a tool answers."""
        return await self.client.call(name, arguments)

    async def branch(self) -> FileTree:
        """The files as the branch has them."""
        return await self.workspace.files(await self.workspace.head(MAIN_BRANCH))

    async def inside(self) -> FileTree:
        """The regular files as the sandbox has them, read by a command of its own."""
        result = await self.sandbox.run(Command(argv=("python3", "-c", READER)))
        found: dict[str, tuple[str, bool]] = json.loads(result.stdout)
        return {path: File(content=bytes.fromhex(text), executable=run) for path, (text, run) in found.items()}

    async def tree(self) -> FileTree:
        """The files, after a check that session, sandbox and branch agree on them."""
        branch = await self.branch()
        assert self.session.tree == branch
        inside = await self.inside()
        caches = {path for path in inside if path not in branch and not IGNORED.isdisjoint(path.split("/"))}
        assert {path: file for path, file in inside.items() if path not in caches} == branch
        return branch


@contextlib.asynccontextmanager
async def open_place(
    folder: Path,
    files: Mapping[str, str] | None = None,
    protection: Protection = FREE,
    permissions: frozenset[Permission] = ALL,
    approval: ApprovalPolicy = ApprovalPolicy.AUTO,
    approver: Approver | None = None,
) -> AsyncIterator[Place]:
    """A place with these files on its branch and in its sandbox."""
    workspace = await WorkspaceStore(folder).create("task")
    start = await workspace.start({path: File(content=text.encode()) for path, text in (files or {}).items()})
    await workspace.branch(MAIN_BRANCH, start.commit)
    sandboxes = FakeSandboxes()
    async with sandboxes.lease(SandboxRequest(task_id="task", purpose="test")) as sandbox:
        session = ToolSession(sandbox, workspace, MAIN_BRANCH, caller(permissions, approval), protection)
        await session.open()
        audit = Ears()
        async with connect(session, Dispatcher(Registry(SPECIALIST_TOOLS), audit, approver)) as client:
            yield Place(session, client, sandbox, workspace, sandboxes, audit)
