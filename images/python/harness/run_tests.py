"""Runs pytest under coverage and reports to file descriptor 3 as JSON lines.

The report's pipe is taken and pytest and coverage are imported before any code of the workspace can run, and the
interpreter is started with ``-I``: a module of the workspace that is called pytest, a ``.pth`` file or a
``sitecustomize`` cannot take their place. Records: ``collected``, ``deselected``, ``start``, ``case``, ``error``,
``coverage``, ``tampered``, ``finished``. A run without ``finished`` did not end as it should. ``--control=FILE``, as
the first argument, names a test file that is collected besides whatever the workspace's configuration selects.
"""

import fcntl
import json
import os
import secrets
import sys
import time
import traceback

import coverage
import pytest

REPORT_FD = 3
MESSAGE_CHARACTERS = 2000


class Report:
    """Writes records to a descriptor of its own that no child process inherits."""

    def __init__(self):
        self._fd = fcntl.fcntl(REPORT_FD, fcntl.F_DUPFD_CLOEXEC, 64 + secrets.randbelow(800))
        os.close(REPORT_FD)
        self._pid = os.getpid()

    def write(self, kind, **fields):
        if os.getpid() != self._pid:
            return
        view = memoryview((json.dumps({"kind": kind, **fields}) + "\n").encode())
        while view:
            view = view[os.write(self._fd, view) :]

    def close(self):
        os.close(self._fd)


class Seals:
    """The functions that have a say over outcomes, as they were before any code of the workspace was loaded.

    Told apart by identity and by code, for a function can be given other code in place.
    """

    SEALED = (
        "__main__", "json", "json.encoder", "pluggy._callers", "pluggy._hooks", "pluggy._manager", "_pytest.main",
        "_pytest.nodes", "_pytest.outcomes", "_pytest.python", "_pytest.reports", "_pytest.runner", "_pytest.skipping",
        "_pytest.unittest",
    )  # fmt: skip

    def __init__(self):
        self._seen = []

    def close(self):
        """Looks at them. Plugins of pytest, which may change it, are installed and no part of the workspace."""
        for name in self.SEALED:
            if module := sys.modules.get(name):
                self._take(module, name)
                for owner in vars(module).values():
                    if isinstance(owner, type) and owner.__module__ == name:
                        self._take(owner, owner.__qualname__)

    def _take(self, owner, where):
        for name, value in list(vars(owner).items()):
            if code := self._code(value):
                self._seen.append((owner, name, value, code, where))

    @staticmethod
    def _code(value):
        parts = (value, *(getattr(value, part, None) for part in ("__func__", "fget", "fset", "func", "__wrapped__")))
        return [part.__code__ for part in parts if hasattr(part, "__code__")]

    def broken(self):
        return [
            f"{where}.{name}"
            for owner, name, value, code, where in self._seen
            if (now := vars(owner).get(name)) is not value or self._code(now) != code
        ][:5]


class Plugin:
    """Turns pytest's hooks into records."""

    def __init__(self, report, control, seals):
        self._report = report
        self._seals = seals
        self._control = control
        self._cases = {}
        self._kinds = {}
        self._collects = False

    def pytest_configure(self, config):
        if self._control:
            config.args.append(self._control)

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self):
        self._seals.close()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self):
        self._collects = True

    def pytest_plugin_registered(self, plugin):
        """From the collection on, only the conftest.py of further folders may bring hooks."""
        if self._collects and os.path.basename(getattr(plugin, "__file__", None) or "") != "conftest.py":
            self._report.write("tampered", message=f"a plugin was added to pytest: {type(plugin).__name__}")

    def pytest_collection_finish(self, session):
        self._report.write("collected", count=len(session.items))

    def pytest_deselected(self, items):
        self._report.write("deselected", ids=[item.nodeid for item in items])

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector):
        result = yield
        if result.failed:
            excinfo = result.call.excinfo if result.call else None
            self._report.write("error", **_place(result, excinfo, collector.nodeid) | _origin(excinfo))
        return result

    def pytest_runtest_logstart(self, nodeid):
        self._report.write("start", id=nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        result = yield
        if call.excinfo is not None:
            self._kinds[item.nodeid] = _kind(call.excinfo)
        return result

    def pytest_runtest_logreport(self, report):
        self._look()
        case = self._cases.setdefault(report.nodeid, {"outcome": "passed", "duration_s": 0.0, "message": ""})
        case["duration_s"] += report.duration
        if report.failed:
            case.update(_place(report, None, report.nodeid), outcome="failed" if report.when == "call" else "error")
            case["kind_of_failure"] = self._kinds.get(report.nodeid, "exception")
        elif report.skipped and case["outcome"] == "passed":
            case["outcome"] = "skipped"
        if report.when == "teardown":
            self._report.write("case", id=report.nodeid, **{k: v for k, v in case.items() if k != "id"})

    def _look(self):
        if broken := self._seals.broken():
            self._report.write("tampered", message=f"pytest itself was changed: {', '.join(broken)}")


def _kind(excinfo):
    for kind, types in (
        ("syntax", SyntaxError),
        ("import", ImportError),
        ("assertion", (AssertionError, pytest.fail.Exception)),
    ):
        if excinfo.errisinstance(types):
            return kind
    return "exception"


def _place(report, excinfo, nodeid):
    crash = getattr(report.longrepr, "reprcrash", None)
    text = str(report.longrepr)
    cause = excinfo.value if excinfo is not None else None
    while cause is not None and not isinstance(cause, (SyntaxError, ImportError)):
        cause = cause.__cause__ or cause.__context__
    kind = "syntax" if isinstance(cause, SyntaxError) else "import" if isinstance(cause, ImportError) else "exception"
    if excinfo is not None and kind == "exception":
        kind = "syntax" if "SyntaxError" in text else "import" if "ImportError" in text else kind
        kind = "import" if "ModuleNotFoundError" in text else kind
    return {
        "id": nodeid,
        "message": (crash.message if crash else text)[-MESSAGE_CHARACTERS:],
        "path": _relative(crash.path) if crash else "",
        "line": crash.lineno if crash else 0,
        "kind_of_failure": kind,
    }


def _origin(excinfo):
    """The line of the workspace that a file could not be loaded for: the last one on the way, or the bad syntax."""
    cause = excinfo.value if excinfo is not None else None
    while cause is not None and cause.__cause__ is not None:
        cause = cause.__cause__
    if isinstance(cause, SyntaxError) and cause.filename and (path := _relative(cause.filename)):
        return {"path": path, "line": cause.lineno or 1}
    frames = traceback.extract_tb(cause.__traceback__) if cause is not None else []
    inside = [frame for frame in frames if os.path.isfile(frame.filename) and _relative(frame.filename)]
    places = [(_relative(frame.filename), frame.lineno or 1) for frame in inside]
    return {"path": places[-1][0], "line": places[-1][1]} if places else {}


def _relative(path):
    path = os.path.relpath(str(path))
    return "" if path.startswith("..") else path


def _measure(cov, report):
    data = cov.get_data()
    for path in sorted(data.measured_files()):
        relative = _relative(path)
        if not relative:
            continue
        try:
            _, executable, _, missing, _ = cov.analysis2(path)
        except (coverage.CoverageException, SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        executed = sorted(set(executable) - set(missing))
        report.write("coverage", path=relative, executable=executable, executed=executed)


def main(arguments):
    report, seals = Report(), Seals()
    sys.path.insert(0, os.getcwd())
    cov = coverage.Coverage(data_file=None, source=["."], config_file=False, messages=False)
    cov.start()
    started = time.monotonic()
    control = arguments.pop(0).removeprefix("--control=") if arguments[:1] and "--control=" in arguments[0] else ""
    options = ["-p", "no:cacheprovider", "--color=no", "--tb=short", "-q", "--no-header", "--rootdir=."]
    # One broken file, or a project that likes to stop early, must not hide the other tests.
    options += ["--continue-on-collection-errors", "--maxfail=0"]
    try:
        status = pytest.main([*options, *arguments], plugins=[Plugin(report, control, seals)])
    finally:
        cov.stop()
    _measure(cov, report)
    if broken := seals.broken():
        report.write("tampered", message=f"pytest itself was changed: {', '.join(broken)}")
    report.write("finished", status=int(status), duration_s=time.monotonic() - started)
    report.close()
    sys.stdout.flush()
    sys.stderr.flush()
    # Nothing that the workspace registered for the end of the process has a say in the result.
    os._exit(int(status))


if __name__ == "__main__":
    main(sys.argv[1:])
