"""The workspace as the host knows it: transfers bring the two in step, and only what changed travels.

Every transfer is done by a child under the sandbox's uid, so that a planted link leads nowhere that the code of the
sandbox could not go by itself. What the child found out comes back as JSON.
"""

import json
import os
from collections.abc import Callable
from typing import Any

from . import files, process
from .job import Job

MOST_TOLD = 1000


class Workspace:
    """Keeps the state of the folder ``root`` as of the last transfer. Each verb returns what a child has to do."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._state: files.State = {}
        self._pending: dict[str, Any] | None = None

    def work(self, ask: dict[str, Any]) -> Callable[[], None]:
        """The work of a request."""
        verbs = {
            "put": self._put,
            "fetch": self._fetch,
            "changes": self._changes,
            "stat": self._stat,
            "collect": self._collect,
        }
        return verbs[ask["op"]](ask)

    def finish(self, job: Job) -> dict[str, Any]:
        """What the host is told of a transfer that has ended."""
        result = job.result()
        try:
            told: dict[str, Any] = json.loads(job.collected)
        except ValueError:
            return result | {"error": job.collected.decode(errors="replace")[-500:] or "the file transfer was ended"}
        if "wrote" in told:
            self._apply(told["wrote"], told["deleted"])
            return result
        if "found" in told:
            self._pending = told
            told = {"deleted": told["deleted"], "refused": told["refused"][:MOST_TOLD]}
        return result | told

    def _apply(self, state: files.State, deleted: list[str]) -> None:
        for path in deleted:
            self._state.pop(path, None)
        self._state.update(state)

    def _take_over(self, accepted: bool) -> None:
        """What the last fetch showed is the state from now on, unless the host could not use it."""
        pending, self._pending = self._pending, None
        if accepted and pending is not None:
            self._apply(pending["found"], pending["deleted"])

    def _put(self, ask: dict[str, Any]) -> Callable[[], None]:
        self._take_over(ask["accepted"])
        if ask["clear"]:
            self._state = {}

        def work() -> None:
            written = files.put(self._root, 0, ask["deleted"], ask["clear"])
            _tell({"wrote": files.look(self._root, written), "deleted": ask["deleted"]})

        return work

    def _differences(self, ask: dict[str, Any]) -> tuple[files.State, list[str], list[str]]:
        """What looks different from the known state, what is gone, and what is neither file nor link."""
        ignored = frozenset(ask["ignore"])
        state, refused = files.scan(self._root, ignored)
        known = self._state
        changed = {
            path: seen
            for path, seen in state.items()
            if files.differs(known.get(path), seen) or (ask.get("closely") and self._is_other(path))
        }
        gone = [path for path in known if path not in state and ignored.isdisjoint(path.split("/"))]
        return changed, gone, refused

    def _is_other(self, path: str) -> bool:
        """Whether a file that looks as it did has another content."""
        digest = self._state[path][4]
        try:
            return bool(digest) and files.digest(os.path.join(self._root, path)) != digest
        except OSError:
            return True

    def _fetch(self, ask: dict[str, Any]) -> Callable[[], None]:
        self._take_over(ask["accepted"])

        def work() -> None:
            changed, gone, refused = self._differences(ask)
            plain = [path for path, seen in changed.items() if not seen[3]]
            refused += [path for path, seen in changed.items() if seen[3]]
            digests, left_out = files.fetch(self._root, 1, plain, ask["file_limit"])
            refused += left_out
            for path, digest in digests.items():
                changed[path][4] = digest
            _tell({"found": changed, "deleted": gone, "refused": refused})

        return work

    def _changes(self, ask: dict[str, Any]) -> Callable[[], None]:
        self._take_over(ask["accepted"])

        def work() -> None:
            changed, gone, _ = self._differences(ask)
            plain = [path for path, seen in changed.items() if not seen[3] and int(seen[0]) <= ask["file_limit"]]
            _tell({"changed": plain, "deleted": gone})

        return work

    def _stat(self, ask: dict[str, Any]) -> Callable[[], None]:
        return lambda: _tell({"entries": [files.describe(os.path.join(self._root, path)) for path in ask["paths"]]})

    def _collect(self, ask: dict[str, Any]) -> Callable[[], None]:
        def work() -> None:
            refused = files.collect(self._root, 1, ask["paths"], ask["file_limit"])
            _tell({"refused": refused[:MOST_TOLD]})

        return work


def _tell(result: dict[str, Any]) -> None:
    with open(process.REPORT_FD, "wb", closefd=False) as report:
        report.write(json.dumps(result).encode())
    os._exit(0)
