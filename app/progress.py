"""Showing a task as it runs: live on a terminal, plain lines in a pipe, or JSON lines."""

import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from app.describe import describe
from domain.chat import Usage
from domain.events import Event, ModelCalled, PlanMade, SubtaskFinished, SubtaskStarted, VerificationStarted
from domain.money import FREE, NanoUsd, format_usd
from domain.text import one_line, plain

if TYPE_CHECKING:
    from rich.table import Table


class Watcher(Protocol):
    """Is shown every event of a task, in order."""

    def see(self, event: Event) -> None:
        """Shows an event."""
        ...

    def say(self, line: str) -> None:
        """Shows a line that is no event."""
        ...

    def close(self) -> None:
        """Leaves the terminal as it was."""
        ...


class JsonWatcher:
    """One JSON object a line on stdout; what is no event goes to stderr."""

    def see(self, event: Event) -> None:
        """Prints the event."""
        print(event.model_dump_json(), flush=True)

    def say(self, line: str) -> None:
        """Prints a line to stderr."""
        print(line, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Nothing is open."""


class PlainWatcher:
    """Plain lines, with the seconds since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def see(self, event: Event) -> None:
        """Prints the event's line."""
        if line := describe(event):
            print(f"{time.monotonic() - self._started:7.2f}  {plain(line)}", flush=True)

    def say(self, line: str) -> None:
        """Prints a line."""
        print(plain(line), flush=True)

    def close(self) -> None:
        """Nothing is open."""


class Totals:
    """What a task has used so far, and where it stands."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.usage = Usage()
        self.cost: NanoUsd = FREE
        self.priced = True
        self.step = "planning"
        self.subtasks: dict[str, str] = {}

    def see(self, event: Event) -> None:
        """Takes an event in."""
        match event.fact:
            case ModelCalled(usage=usage, cost=cost, priced=priced):
                self.usage += usage
                self.cost = NanoUsd(self.cost + cost)
                self.priced = self.priced and priced
            case PlanMade(plan=plan):
                self.subtasks = {subtask.id: "·" for subtask in plan.subtasks}
            case SubtaskStarted(subtask=subtask):
                self.subtasks[subtask.id] = "▶"
                self.step = f"{subtask.role} specialist: {one_line(subtask.goal, 70)}"
            case SubtaskFinished(subtask_id=subtask_id, result=result):
                self.subtasks[subtask_id] = "✓" if result.kind == "submitted" else "!"
            case VerificationStarted(purpose=purpose):
                self.step = f"clean room: {purpose}"
            case _:
                pass

    def cost_text(self) -> str:
        """The cost for people; where no price is known it says so."""
        return format_usd(self.cost) if self.priced else "price unknown"


class LiveWatcher:
    """Lines as they come, above a status that stays at the bottom of the terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._totals = Totals()
        self._console = Console(highlight=False)
        self._live: Live = Live(
            get_renderable=self._status, console=self._console, refresh_per_second=8, transient=True
        )
        self._live.start()

    def _status(self) -> "Table":
        from rich.spinner import Spinner
        from rich.table import Table
        from rich.text import Text

        totals = self._totals
        grid = Table.grid(padding=(0, 1))
        plan = "  ".join(f"{mark} {name}" for name, mark in totals.subtasks.items())
        elapsed = time.monotonic() - totals.started
        numbers = f"{elapsed:.0f} s   {totals.usage.total_tokens:,} tokens   {totals.cost_text()}"
        grid.add_row(Spinner("dots"), Text(one_line(totals.step, 100), style="bold"))
        grid.add_row("", Text(plan, style="cyan"))
        grid.add_row("", Text(numbers, style="dim"))
        return grid

    def see(self, event: Event) -> None:
        """Prints the event's line and brings the status up to date."""
        from rich.text import Text

        self._totals.see(event)
        if line := describe(event):
            style = "red" if "✗" in line else "green" if "submitted" in line else ""
            elapsed = time.monotonic() - self._totals.started
            self._console.print(
                Text.assemble((f"{elapsed:7.2f}  ", "dim"), (plain(line), style)), no_wrap=True, overflow="ellipsis"
            )

    def say(self, line: str) -> None:
        """Prints a line."""
        from rich.text import Text

        self._console.print(Text(plain(line)))

    def close(self) -> None:
        """Takes the status away."""
        self._live.stop()


class ForgivingWatcher:
    """Another watcher, whose reader may go away: the task goes on, and what was asked for is still delivered."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher: Watcher | None = watcher

    def see(self, event: Event) -> None:
        """Shows an event while somebody reads."""
        self._show(lambda watcher: watcher.see(event))

    def say(self, line: str) -> None:
        """Shows a line while somebody reads."""
        self._show(lambda watcher: watcher.say(line))

    def close(self) -> None:
        """Leaves the terminal as it was."""
        self._show(lambda watcher: watcher.close())

    def _show(self, show: Callable[[Watcher], None]) -> None:
        if self._watcher is None:
            return
        try:
            show(self._watcher)
        except BrokenPipeError:
            self._watcher = None
            # Python must not complain about the lost reader at exit either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def watcher(as_json: bool) -> Watcher:
    """The watcher that fits where the output goes."""
    if as_json:
        return ForgivingWatcher(JsonWatcher())
    return LiveWatcher() if sys.stdout.isatty() else ForgivingWatcher(PlainWatcher())
