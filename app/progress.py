"""Showing a task as it runs: live on a terminal, plain lines in a pipe, or JSON lines."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from domain.describe import describe
from domain.events import Event
from domain.money import format_usd
from domain.progress import Progress, SubtaskState
from domain.text import one_line, plain

if TYPE_CHECKING:
    from rich.table import Table

MARKS = {
    SubtaskState.WAITING: "·",
    SubtaskState.RUNNING: "▶",
    SubtaskState.SUBMITTED: "✓",
    SubtaskState.STOPPED: "!",
    SubtaskState.ASKS: "!",
    SubtaskState.CRASHED: "✗",
}


class Watcher(Protocol):
    """Is shown every event of a task, in order."""

    def see(self, event: Event) -> None:
        """Shows an event."""
        ...

    def say(self, line: str) -> None:
        """Shows a line that is no event."""
        ...

    def aside(self) -> contextlib.AbstractContextManager[object]:
        """Leaves the terminal to somebody else while the context lasts."""
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

    def aside(self) -> contextlib.AbstractContextManager[object]:
        """The terminal is not held."""
        return contextlib.nullcontext()

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

    def aside(self) -> contextlib.AbstractContextManager[object]:
        """The terminal is not held."""
        return contextlib.nullcontext()

    def close(self) -> None:
        """Nothing is open."""


def cost_text(progress: Progress) -> str:
    """What was spent so far, for people; where no price is known it says so."""
    return format_usd(progress.cost) if progress.priced else "price unknown"


class LiveWatcher:
    """Lines as they come, above a status that stays at the bottom of the terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._progress = Progress()
        self._started = time.monotonic()
        self._console = Console(highlight=False)
        self._live: Live = Live(
            get_renderable=self._status, console=self._console, refresh_per_second=8, transient=True
        )
        self._live.start()

    def _status(self) -> "Table":
        from rich.spinner import Spinner
        from rich.table import Table
        from rich.text import Text

        progress = self._progress
        grid = Table.grid(padding=(0, 1))
        plan = "  ".join(f"{MARKS[subtask.state]} {subtask.id}" for subtask in tuple(progress.subtasks.values()))
        elapsed = time.monotonic() - self._started
        numbers = f"{elapsed:.0f} s   {progress.usage.total_tokens:,} tokens   {cost_text(progress)}"
        grid.add_row(Spinner("dots"), Text(one_line(progress.step, 100), style="bold"))
        grid.add_row("", Text(plan, style="cyan"))
        grid.add_row("", Text(numbers, style="dim"))
        return grid

    def see(self, event: Event) -> None:
        """Prints the event's line and brings the status up to date."""
        from rich.text import Text

        self._progress.see(event)
        if line := describe(event):
            style = "red" if "✗" in line else "green" if "submitted" in line else ""
            elapsed = time.monotonic() - self._started
            self._console.print(
                Text.assemble((f"{elapsed:7.2f}  ", "dim"), (plain(line), style)), no_wrap=True, overflow="ellipsis"
            )

    def say(self, line: str) -> None:
        """Prints a line."""
        from rich.text import Text

        self._console.print(Text(plain(line)))

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Takes the status away while the context lasts."""
        self._live.stop()
        try:
            yield
        finally:
            self._live.start()

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

    def aside(self) -> contextlib.AbstractContextManager[object]:
        """As the other watcher does."""
        return contextlib.nullcontext() if self._watcher is None else self._watcher.aside()

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
