"""The runner's event loop: reads the host's frames, and gives each to the activity that it is for."""

from __future__ import annotations

import os
import time

from . import frames, meter, process
from .hub import READ, Activity, Hub
from .job import Job, JobLimits
from .lean import Suppress, dumps, loads, signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .relays import Relays
    from .workspace import Workspace

READY = 0
"""The request number of the frame that says that the runner is there."""
MOST_JOBS = 32
LONGEST_ANSWER = 6 << 20
"""Bytes of a result; together with a full window of what comes before it, the host still takes it."""
SILENCE_S = 60.0
"""How long the host may say nothing at all before it counts as gone."""
REFUSED = (ValueError, KeyError, TypeError, AttributeError, OSError, OverflowError)


class StaleError(ValueError):
    """A request of somebody whose lease has ended."""


class Runner:
    """Serves requests from ``source`` and answers to ``sink`` (file descriptors).

    It ends when ``source`` does, or when nothing came from there for ``silence_s`` seconds.
    """

    def __init__(self, source: int, sink: int, root: str, uid: int, silence_s: float = SILENCE_S) -> None:
        self._source, self._root, self._uid, self._silence_s = source, root, uid, silence_s
        self._hub = Hub(sink)
        self._meter = meter.Meter(meter.CONTROL_GROUP if os.getpid() == 1 else None)
        self._workspace_made: Workspace | None = None
        self._relays_made: Relays | None = None
        self._decoder = frames.Decoder()
        self._parts: dict[int, bytearray] = {}
        self._activities: dict[int, Activity] = {}
        self._spare: process.Spare | None = None
        self._token = 0
        self._heard = time.monotonic()
        self._open = True

    def serve(self) -> None:
        """Works until the host closes the connection or falls silent, then ends everything."""
        wake_r, wake_w = os.pipe()
        for fd in (wake_r, wake_w, self._source):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(wake_w, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._hub.watch(self._source, READ, self._on_source)
        self._hub.watch(wake_r, READ, lambda _: os.read(wake_r, 4096))
        self._hub.send(frames.RESULT, READY, b"{}")
        try:
            while self._open and time.monotonic() - self._heard < self._silence_s:
                if self._spare is None and not self._jobs():
                    self._provide_spare()
                self._hub.serve(self._patience())
                self._reap()
                self._settle()
        finally:
            for job in self._jobs():
                process.kill_everything(job.child.pid)
            if self._spare is not None:
                process.kill_everything(self._spare.child.pid)

    def _jobs(self) -> list[Job]:
        return [activity for activity in self._activities.values() if isinstance(activity, Job)]

    @property
    def _workspace(self) -> Workspace:
        """Made, and its module imported, when it is first used."""
        if self._workspace_made is None:
            from .workspace import Workspace

            self._workspace_made = Workspace(self._root)
        return self._workspace_made

    @property
    def _relays(self) -> Relays:
        """As the workspace."""
        if self._relays_made is None:
            from .relays import Relays

            self._relays_made = Relays(self._hub, self._activities)
        return self._relays_made

    def _provide_spare(self) -> None:
        with Suppress(OSError):
            self._spare = process.Spare(self._uid)

    def _patience(self) -> float:
        now = time.monotonic()
        return max(0.0, min([self._heard + self._silence_s, *(job.wakes for job in self._jobs())]) - now)

    def _on_source(self, fd: int) -> None:
        try:
            data = os.read(fd, 1 << 18)
        except BlockingIOError:
            return
        if not data:
            self._open = False
            return
        self._heard = time.monotonic()
        for kind, number, payload in self._decoder.feed(data):
            self._on_frame(kind, number, payload)

    def _on_frame(self, kind: int, number: int, payload: bytes) -> None:
        if kind == frames.PART:
            self._parts.setdefault(number, bytearray()).extend(payload)
        elif kind == frames.REQUEST:
            try:
                self._start(number, loads(bytes(self._parts.pop(number, b"")) + payload))
            except REFUSED as error:
                stale = isinstance(error, StaleError)
                self._answer(number, {"error": str(error) or type(error).__name__, "stale": stale})
        elif (activity := self._activities.get(number)) is not None:
            self._pass_on(activity, kind, payload)

    def _pass_on(self, activity: Activity, kind: int, payload: bytes) -> None:
        if kind == frames.CANCEL:
            activity.cancel()
        elif kind == frames.GRANT:
            activity.granted(int.from_bytes(payload[:4], "big"))
        elif kind in (frames.DATA, frames.END):
            activity.fed(payload, last=kind == frames.END)
        elif kind == frames.SIGNAL:
            activity.signal(payload[0])

    def _start(self, number: int, ask: dict[str, Any]) -> None:
        if ask["token"] != self._token and ask["op"] != "lease":
            raise StaleError("the lease has passed on to somebody else")
        match ask["op"]:
            case "lease":
                self._lease(number, ask)
            case "run":
                self._run(number, ask)
            case "listen":
                self._relays.listen(number, ask["port"])
            case "connect":
                self._relays.connect(number, ask["port"])
            case _:
                child = process.run_as(self._uid, self._workspace.work(ask))
                job = self._adopt_job(number, child, JobLimits(ask["timeout_s"], 0, 0))
                job.archive, job.finish = True, self._workspace.finish

    def _lease(self, number: int, ask: dict[str, Any]) -> None:
        """Passes on to a new holder, who has so many seconds. An older holder's token is worth nothing any more."""
        if ask["token"] <= self._token:
            raise StaleError("the lease has passed on to somebody else")
        self._token = ask["token"]
        for activity in list(self._activities.values()):
            self._pass_on(activity, frames.CANCEL, b"")
        signal.setitimer(signal.ITIMER_REAL, float(ask["seconds"]))
        self._answer(number, {})

    def _run(self, number: int, ask: dict[str, Any]) -> None:
        environment = process.ENVIRONMENT | ask["env"]
        order = process.Order(ask["argv"], os.path.join(self._root, ask["cwd"]), environment, ask["report"])
        before = self._meter.read(self._hub.written)
        try:
            child = self._spawn(order)
        except OSError as error:
            self._hub.send(frames.STDERR, number, f"sandbox: the command cannot be started: {error}\n".encode())
            self._answer(number, {"exit_code": 127})
            return
        limits = JobLimits(ask["timeout_s"], ask["output_limit"], ask["report_limit"])
        self._adopt_job(number, child, limits).before = before

    def _spawn(self, order: process.Order) -> process.Child:
        if len(self._jobs()) >= MOST_JOBS:
            raise OSError(f"{MOST_JOBS} commands run already")
        spare, self._spare = self._spare, None
        if spare is not None:
            try:
                return self._ordered(spare, order)
            except OSError:
                spare.child.close()
        return self._ordered(process.Spare(self._uid), order)

    def _ordered(self, spare: process.Spare, order: process.Order) -> process.Child:
        child = spare.start(order)
        self._hub.written += spare.told
        return child

    def _adopt_job(self, number: int, child: process.Child, limits: JobLimits) -> Job:
        job = Job(number, child, limits, self._hub, self._kill)
        self._activities[number] = job
        return job

    def _kill(self, job: Job) -> None:
        """Ends what a job started; everything, when it is the only one or its processes cannot be told apart."""
        others = {other.child.pid for other in self._jobs() if other is not job and not other.exits}
        if others:
            if self._spare is not None:
                others.add(self._spare.child.pid)
            if process.kill_family(job.child.pid, others):
                return
        process.kill_everything(job.child.pid)
        if self._spare is not None and os.getpid() == 1:
            spare, self._spare = self._spare, None
            spare.drop()

    def _reap(self) -> None:
        by_pid = {job.child.pid: job for job in self._jobs() if not job.exits}
        for pid, status, used in process.reap():
            self._meter.reaped(used)
            if pid in by_pid:
                by_pid[pid].exited(status)
            elif self._spare is not None and pid == self._spare.child.pid:
                spare, self._spare = self._spare, None
                spare.drop()

    def _settle(self) -> None:
        now = time.monotonic()
        for job in self._jobs():
            if job.tick(now):
                self._finish(job)

    def _finish(self, job: Job) -> None:
        job.drain()
        del self._activities[job.number]
        if job.before is not None:
            after = self._meter.read(self._hub.written)
            job.used = meter.usage(job.before, after, self._meter.largest())
            job.used["oom_kills"] = after.oom_kills - job.before.oom_kills
        self._answer(job.number, job.finish(job))

    def _answer(self, number: int, result: dict[str, Any]) -> None:
        data = dumps(result)
        if len(data) > LONGEST_ANSWER:
            data = dumps({"error": f"there are {len(data)} bytes of file names to tell"})
        for at in range(0, len(data), frames.MAX_FRAME):
            last = at + frames.MAX_FRAME >= len(data)
            self._hub.send(frames.RESULT if last else frames.REPORT, number, data[at : at + frames.MAX_FRAME])


def main(arguments: list[str]) -> None:
    """Serves on stdin and stdout. Arguments: the workspace, the children's uid, seconds to live."""
    root, uid, lifetime_s = arguments
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, lambda *_: os._exit(0))
    signal.setitimer(signal.ITIMER_REAL, float(lifetime_s))
    with Suppress(BrokenPipeError):
        Runner(0, 1, root, int(uid)).serve()
