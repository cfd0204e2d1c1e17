"""A stage for the director: real storage, sandboxes without isolation, and a model that follows a script."""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.bootstrap import Soundstage, build
from app.models import only
from app.settings import Settings
from domain.chat import ModelRequest
from domain.events import Fact
from domain.files import File
from domain.strategy import Planning, Strategy
from domain.task import Limits, TaskResult, TaskSpec
from domain.workspace import Workspace
from gateway.scripted import Line, Scene, ScriptedProvider
from sandbox.base import Sandboxes
from sandbox.fake import FakeSandboxes

TASK = "task-1"
PROMPT = "Write the module calc."
TEST = "tests/test_calc.py"
STUB = {"path": "calc.py", "signatures": ["def add(a: int, b: int) -> int"]}
TESTS = "from calc import add\n\n\ndef test_add():\n    assert add(2, 3) == 5\n"
WRONG = "def add(a: int, b: int) -> int:\n    return a - b\n"
RIGHT = "def add(a: int, b: int) -> int:\n    return a + b\n"
FIX = "Mend the code"
CODE, TESTER, REVIEW = (f"You are the {name} specialist" for name in ("code", "test", "review"))
"""By what the script of a role knows its prompt."""

PLANNED = Strategy(planning=Planning.ALWAYS)


class Stage:
    """One task on the stage."""

    def __init__(self, product: Soundstage, model: ScriptedProvider) -> None:
        self.product = product
        self.model = model
        self.base = ""

    async def submit(
        self,
        files: Mapping[str, str] | None = None,
        tests: tuple[str, ...] = (),
        command: str | None = None,
        limits: Limits | None = None,
        prompt: str = PROMPT,
        model: str = "scripted",
        strategy: Strategy = PLANNED,
    ) -> None:
        """Stores the task; ``tests`` are the user's, ``model`` is the route, which is asked for a plan."""
        workspace = await self.product.store.workspaces.create(TASK)
        tree = {path: File(content=content.encode()) for path, content in (files or {}).items()}
        self.base = (await workspace.start(tree)).commit
        spec = TaskSpec(
            id=TASK,
            prompt=prompt,
            model=model,
            base_commit=self.base,
            protected_paths=tests,
            test_command=command,
            limits=limits or Limits(),
            strategy=strategy,
        )
        await self.product.director.submit(spec)

    async def run(self) -> TaskResult:
        """Works on the task until it ends."""
        return await self.product.director.run(TASK)

    async def facts(self) -> list[Fact]:
        """What happened, in order."""
        return [event.fact for event in await self.product.store.log.read(TASK)]

    async def happened(self, kind: type[Fact] | type[Any]) -> list[Any]:
        """The facts of one kind, in order."""
        return [fact for fact in await self.facts() if isinstance(fact, kind)]

    def requests(self, heard: str) -> list[ModelRequest]:
        """What was sent to the model in conversations in which this occurs."""
        return [request for request in self.model.requests if any(heard in said.content for said in request.messages)]

    @property
    def workspace(self) -> Workspace:
        """The task's files."""
        return self.product.store.workspaces.open(TASK)

    async def texts(self, commit: str) -> dict[str, str]:
        """The files of a commit as text."""
        return {path: file.content.decode() for path, file in (await self.workspace.files(commit)).items()}


@contextlib.asynccontextmanager
async def open_stage(
    home: Path, model: ScriptedProvider, sandboxes: Sandboxes | None = None, **settings_of: Any
) -> AsyncIterator[Stage]:
    """The whole product, wired by its own composition root, with sandboxes that need no Docker."""
    settings = Settings(soundstage_home=home, **settings_of)
    async with build(settings, only(model, "scripted", "a test"), sandboxes or FakeSandboxes()) as product:
        yield Stage(product, model)


def node(name: str, role: str = "code", needs: Sequence[str] = (), goal: str = "") -> dict[str, Any]:
    """A subtask of a plan, as a model writes it."""
    return {"id": name, "role": role, "goal": goal or f"Do the work of {name}.", "needs": list(needs)}


def planned(*nodes: dict[str, Any], files: Sequence[dict[str, Any]] = ()) -> Scene:
    """The planner's part."""
    plan = {"kind": "new_code", "files": list(files), "subtasks": list(nodes)}
    return Scene(when=("You are the planner",), lines=(Line(text=json.dumps(plan)),))


def usual_plan() -> Scene:
    """The planner's part for the usual plan: tests, then code, on a stub of calc.py."""
    return planned(node("tests", "test"), node("code", needs=["tests"]), files=[STUB])


def part(*when: str, lines: Sequence[Line]) -> Scene:
    """A specialist's part in the conversations in which all of ``when`` occurs."""
    return Scene(when=when, lines=tuple(lines))


def writes(*files: tuple[str, str]) -> list[Line]:
    """Writes the files, then submits."""
    return [Line(calls=tuple(write(path, content) for path, content in files)), submit()]


def write(path: str, content: str) -> tuple[str, str]:
    """A call of write_file."""
    return "write_file", json.dumps({"path": path, "content": content})


def shell(command: str) -> tuple[str, str]:
    """A call of shell."""
    return "shell", json.dumps({"command": command})


def role_of_ours(folder: Path, name: str, data: str) -> str:
    """The folder of a role of that name, whose prompt says it, with its data as TOML."""
    folder.mkdir()
    (folder / f"{name}.toml").write_text(data)
    (folder / f"{name}.md").write_text(f"You are the {name}.")
    return str(folder)


def submit(summary: str = "done") -> Line:
    """A reply that hands in the work."""
    return Line(calls=(("submit", json.dumps({"summary": summary})),))
