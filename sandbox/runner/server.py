"""The runner's event loop."""

import contextlib
import json
import os
import selectors
import signal
import time
from collections.abc import Callable
from typing import Any

from . import files, frames, process
from .job import Job, JobLimits

READY = 0
"""The request number of the frame that says that the runner is there."""


class Runner:
    """Serves requests from ``source`` and answers to ``sink`` (file descriptors), until ``source`` ends."""

    def __init__(self, source: int, sink: int, root: str, uid: int) -> None:
        self._source, self._sink, self._root, self._uid = source, sink, root, uid
        self._decoder = frames.Decoder()
        self._jobs: dict[int, Job] = {}
        self._parts: dict[int, bytearray] = {}
        self._state: files.State = {}
        self._pending: dict[str, Any] | None = None
        self._selector = selectors.DefaultSelector()
        self._open = True

    def serve(self) -> None:
        """Works until the host closes the connection, then ends everything."""
        wake_r, wake_w = os.pipe()
        for fd in (wake_r, wake_w, self._source):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(wake_w, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector.register(self._source, selectors.EVENT_READ, self._on_source)
        self._selector.register(wake_r, selectors.EVENT_READ, lambda _: os.read(wake_r, 4096))
        self._send(frames.encode(frames.RESULT, READY, b"{}"))
        try:
            while self._open:
                for key, _ in self._selector.select(self._patience()):
                    key.data(key.fd)
                self._reap()
                self._settle()
        finally:
            for job in self._jobs.values():
                process.kill_everything(job.child.pid)

    def _patience(self) -> float | None:
        deadlines = [job.deadline for job in self._jobs.values()]
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    def _send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._sink, view) :]

    def _on_source(self, fd: int) -> None:
        try:
            data = os.read(fd, 1 << 18)
        except BlockingIOError:
            return
        if not data:
            self._open = False
            return
        for kind, request, payload in self._decoder.feed(data):
            self._on_frame(kind, request, payload)

    def _on_frame(self, kind: int, request: int, payload: bytes) -> None:
        if kind == frames.PART:
            self._parts.setdefault(request, bytearray()).extend(payload)
        elif kind == frames.REQUEST:
            try:
                self._start(request, json.loads(self._parts.pop(request, b"") + payload))
            except (ValueError, KeyError, TypeError, OSError) as error:
                self._answer(request, {"error": str(error) or type(error).__name__})
        elif (job := self._jobs.get(request)) is None:
            return
        elif kind == frames.CANCEL:
            job.end("cancelled")
        else:
            job.stdin_buffer += payload
            job.stdin_ended = job.stdin_ended or kind == frames.END
            self._feed(job)

    def _feed(self, job: Job) -> None:
        was_open, stdin = job.stdin_open, job.child.stdin
        job.write_stdin()
        if was_open:
            waits = job.stdin_open and bool(job.stdin_buffer)
            self._watch(stdin, selectors.EVENT_WRITE if waits else 0, lambda _: self._feed(job))
        if taken := job.credit():
            self._send(frames.encode(frames.CREDIT, job.request, taken.to_bytes(4, "big")))

    def _watch(self, fd: int, events: int, call: Callable[[int], object]) -> None:
        known = fd in self._selector.get_map()
        if events and not known:
            self._selector.register(fd, events, call)
        elif known and not events:
            self._selector.unregister(fd)

    def _start(self, request: int, ask: dict[str, Any]) -> None:
        if self._jobs:
            raise ValueError("the sandbox is busy with another request")
        starters = {"run": self._run, "put": self._put, "fetch": self._fetch, "deadline": self._deadline}
        starters[ask["op"]](request, ask)

    def _deadline(self, request: int, ask: dict[str, Any]) -> None:
        signal.setitimer(signal.ITIMER_REAL, float(ask["seconds"]))
        self._answer(request, {})

    def _run(self, request: int, ask: dict[str, Any]) -> None:
        argv = [os.fsencode(argument) for argument in ask["argv"]]
        folder = os.path.join(self._root, ask["cwd"])
        environment = process.ENVIRONMENT | ask["env"]

        def work() -> None:
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(environment)
            os.execvpe(argv[0], argv, environment)  # noqa: S606 - running commands is what it is for

        limits = JobLimits(ask["timeout_s"], ask["output_limit"], ask["report_limit"])
        self._adopt(Job(request, process.spawn(self._uid, work, ask["report"]), limits, archive=False))

    def _put(self, request: int, ask: dict[str, Any]) -> None:
        self._take_over(ask["accepted"])
        if ask["clear"]:
            self._state = {}

        def work() -> None:
            written = files.put(self._root, 0, ask["deleted"], ask["clear"])
            _tell({"state": files.look(self._root, written), "deleted": ask["deleted"]})

        self._adopt(self._file_job(request, work, ask["timeout_s"]))

    def _take_over(self, accepted: bool) -> None:
        """What the last fetch showed is the state from now on, unless the host could not use it."""
        pending, self._pending = self._pending, None
        if accepted and pending is not None:
            self._apply(pending)

    def _apply(self, told: dict[str, Any]) -> None:
        for path in told["deleted"]:
            self._state.pop(path, None)
        self._state.update(told["state"])

    def _fetch(self, request: int, ask: dict[str, Any]) -> None:
        self._take_over(ask["accepted"])
        known = self._state

        def work() -> None:
            ignored = frozenset(ask["ignore"])
            state, refused = files.scan(self._root, ignored)
            changed = [path for path, seen in state.items() if files.differs(known.get(path), seen)]
            links = [path for path in changed if state[path][3]]
            plain = [path for path in changed if not state[path][3]]
            refused += links + files.fetch(self._root, 1, plain, ask["file_limit"])
            gone = [path for path in known if path not in state and ignored.isdisjoint(path.split("/"))]
            _tell({"state": state, "deleted": gone, "refused": refused})

        self._adopt(self._file_job(request, work, ask["timeout_s"]))

    def _file_job(self, request: int, work: Callable[[], None], timeout_s: float) -> Job:
        limits = JobLimits(timeout_s, 1 << 16, 1 << 30)
        return Job(request, process.spawn(self._uid, work, report=True), limits, archive=True)

    def _adopt(self, job: Job) -> None:
        self._jobs[job.request] = job
        for fd in job.outputs:
            self._selector.register(fd, selectors.EVENT_READ, lambda fd, job=job: self._on_output(job, fd))

    def _on_output(self, job: Job, fd: int) -> None:
        if frame := job.read(fd):
            self._send(frame)
        if fd not in job.outputs:
            self._selector.unregister(fd)

    def _reap(self) -> None:
        by_pid = {job.child.pid: job for job in self._jobs.values() if job.status is None}
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    break
                if pid in by_pid:
                    by_pid[pid].exited(status)

    def _settle(self) -> None:
        for job in list(self._jobs.values()):
            if job.status is None and time.monotonic() >= job.deadline:
                job.end("timeout")
                job.deadline = time.monotonic() + 1.0
            if job.done:
                self._finish(job)

    def _finish(self, job: Job) -> None:
        for frame in job.drain():
            self._send(frame)
        del self._jobs[job.request]
        for fd in (*job.outputs, *([job.child.stdin] if job.stdin_open else [])):
            self._watch(fd, 0, self._on_source)
        job.close()
        result = job.result()
        if job.archive:
            result |= self._file_result(job)
        self._answer(job.request, result)

    def _file_result(self, job: Job) -> dict[str, Any]:
        try:
            told = json.loads(job.collected)
        except ValueError:
            return {"error": job.collected.decode(errors="replace")[-500:] or "the file transfer was ended"}
        if "refused" not in told:
            self._apply(told)
            return {}
        self._pending = told
        return {"deleted": told["deleted"], "refused": told["refused"][:1000]}

    def _answer(self, request: int, result: dict[str, Any]) -> None:
        data = json.dumps(result).encode()
        for at in range(0, len(data), frames.MAX_FRAME):
            last = at + frames.MAX_FRAME >= len(data)
            kind = frames.RESULT if last else frames.REPORT
            self._send(frames.encode(kind, request, data[at : at + frames.MAX_FRAME]))


def _tell(result: dict[str, Any]) -> None:
    with open(process.REPORT_FD, "wb", closefd=False) as report:
        report.write(json.dumps(result).encode())
    os._exit(0)


def main(arguments: list[str]) -> None:
    """Serves on stdin and stdout. Arguments: the workspace, the children's uid, seconds to live."""
    root, uid, lifetime_s = arguments
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, lambda *_: os._exit(0))
    signal.setitimer(signal.ITIMER_REAL, float(lifetime_s))
    with contextlib.suppress(BrokenPipeError):
        Runner(0, 1, root, int(uid)).serve()
