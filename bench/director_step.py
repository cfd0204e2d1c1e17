"""What a step of a specialist's loop costs besides its model and its sandbox."""

import contextlib
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from app.bootstrap import build
from app.models import only
from app.settings import Settings
from bench.measure import Figure
from domain.chat import Delta, ModelReply, ModelRequest
from domain.strategy import Planning, Strategy
from domain.task import LOCAL_OWNER, Limits
from domain.task_service import TaskOrder
from gateway.scripted import Line, Scene, ScriptedProvider
from sandbox.base import Sandbox, SandboxRequest
from sandbox.fake import FakeSandboxes

STEPS = 200
SUBMIT = ("submit", json.dumps({"summary": "done"}))


class Clock:
    """Seconds that passed in what is not measured."""

    def __init__(self) -> None:
        self.elsewhere_s = 0.0

    def timed(self, verb: Callable[..., Any]) -> Callable[..., Any]:
        """The verb, whose time counts as elsewhere."""

        async def run(*args: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return await verb(*args, **named)
            finally:
                self.elsewhere_s += time.perf_counter() - started

        return run


class TimedSandbox:
    """A sandbox whose verbs count as time elsewhere."""

    VERBS = frozenset({"run", "put", "fetch", "get", "changes", "stat", "collect", "sync"})

    def __init__(self, sandbox: Sandbox, clock: Clock) -> None:
        self._sandbox = sandbox
        self._clock = clock

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._sandbox, name)
        return self._clock.timed(found) if name in self.VERBS else found


class TimedSandboxes:
    """Implements ``sandbox.base.Sandboxes``."""

    def __init__(self, clock: Clock) -> None:
        self._inner = FakeSandboxes()
        self._clock = clock

    @contextlib.asynccontextmanager
    async def lease(self, request: SandboxRequest) -> AsyncIterator[Any]:
        """A timed sandbox."""
        async with self._inner.lease(request) as sandbox:
            yield TimedSandbox(sandbox, self._clock)

    async def reap(self, alive: Callable[[], Collection[str]]) -> list[str]:
        """As they do."""
        return await self._inner.reap(alive)

    async def close(self) -> None:
        """As they do."""
        await self._inner.close()


class TimedModel(ScriptedProvider):
    """A scripted model that notes when it was asked, and how long it and the sandbox took until then."""

    def __init__(self, lines: tuple[Line, ...], clock: Clock) -> None:
        super().__init__((Scene(when=(), lines=lines),))
        self._clock = clock
        self.asked: list[tuple[float, float]] = []

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta | ModelReply]:
        """The same, in pieces."""
        started = time.perf_counter()
        self.asked.append((started, self._clock.elsewhere_s))
        pieces = [piece async for piece in super().stream(request)]
        self._clock.elsewhere_s += time.perf_counter() - started
        for piece in pieces:
            yield piece


async def step_overhead(home: Path) -> list[Figure]:
    """Steps that write a file each, by the scripted model in sandboxes without isolation, events in SQLite."""
    clock = Clock()
    writes = (("write_file", json.dumps({"path": f"f{at}.py", "content": f"x = {at}\n"})) for at in range(STEPS))
    lines = tuple(Line(calls=(call,)) for call in (*writes, SUBMIT))
    model = TimedModel(lines, clock)
    async with build(
        Settings(soundstage_home=home), only(model, "scripted", "a bench"), TimedSandboxes(clock)
    ) as product:
        strategy = Strategy(planning=Planning.NEVER)
        order = TaskOrder(prompt="Write files.", limits=Limits(max_steps=STEPS + 10), strategy=strategy)
        result = await product.tasks.wait(LOCAL_OWNER, await product.tasks.submit(order))
    assert len(model.asked) > STEPS, result.reason
    overheads = [
        (later - sooner) - (elsewhere_after - elsewhere)
        for (sooner, elsewhere), (later, elsewhere_after) in pairwise(model.asked[: STEPS + 1])
    ]
    return [
        Figure("step_overhead_p50_ms", 1000 * median(overheads), "ms", f"{STEPS} steps that write a file each"),
        Figure("step_overhead_p95_ms", 1000 * sorted(overheads)[int(0.95 * len(overheads))], "ms"),
    ]
