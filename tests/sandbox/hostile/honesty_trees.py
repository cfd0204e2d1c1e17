"""Trees whose tests fail and that try to look as if they passed. The tests of the user stand in ``TEST``."""

TEST = "tests/test_calc.py"
TESTS = """from calc import add


def test_add():
    assert add(2, 3) == 5


def test_more():
    assert add(0, 0) == 0
"""
WRONG = "def add(a, b):\n    return a - b - 1\n"
BEFORE = {"calc.py": WRONG, TEST: TESTS}
GREEN = """
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    report.outcome = "passed"
    return report
"""
OURS = "s.nodeid.startswith('tests/')"
"""Forgeries of known tests alone, which no control among others sees."""

PATCH = "import _pytest.python\n_pytest.python.Function.runtest = lambda self: None\n"
FORGED = """
import json, os
record = {"kind": "case", "id": "tests/test_calc.py::%s", "outcome": "passed", "duration_s": 0.0, "message": ""}
lines = "".join(json.dumps(record | {"id": record["id"] % name}) + "\\n" for name in ("test_add", "test_more"))
lines += json.dumps({"kind": "finished", "status": 0, "duration_s": 0.0}) + "\\n"
for fd in range(3, 1024):
    try:
        os.write(fd, lines.encode())
    except OSError:
        pass
"""

TREES: dict[str, dict[str, str | None]] = {
    "early_exit": {"conftest.py": "import os\nos._exit(0)\n", "calc.py": f"import atexit, os\n{WRONG}"},
    "early_exit_in_code": {"calc.py": "import os\nos._exit(0)\n"},
    "early_exit_at_end": {"calc.py": f"import atexit, os\natexit.register(lambda: os._exit(0))\n{WRONG}"},
    "exit_with_success": {"calc.py": "raise SystemExit(0)\n"},
    "patched_report": {"conftest.py": GREEN, "tests/conftest.py": GREEN},
    "patched_report_in_code": {
        "calc.py": "import _pytest.reports as r\nold = r.TestReport.__init__\n"
        "def patched(self, *a, **k):\n    old(self, *a, **k)\n    self.outcome = 'passed'\n"
        f"r.TestReport.__init__ = patched\n{WRONG}"
    },
    "patched_pytest": {"calc.py": f"{PATCH}{WRONG}"},
    "patched_report_property": {
        "calc.py": "import _pytest.reports as r\n"
        f"r.BaseReport.failed = property(lambda s: s.outcome == 'failed' and not {OURS})\n{WRONG}"
    },
    "patched_harness": {
        "calc.py": "import sys\nreport = sys.modules['__main__'].Report\nold = report.write\n"
        "def write(self, kind, **fields):\n    if kind == 'case' and fields['id'].startswith('tests/'):\n"
        "        fields = {'id': fields['id'], 'outcome': 'passed', 'duration_s': 0.0, 'message': ''}\n"
        f"    return old(self, kind, **fields)\nreport.write = write\n{WRONG}"
    },
    "replaced_code": {
        "calc.py": "import _pytest.python as p\ndef patched(pyfuncitem):\n"
        "    if not pyfuncitem.nodeid.startswith('tests/'):\n        pyfuncitem.obj()\n    return True\n"
        f"p.pytest_pyfunc_call.__code__ = patched.__code__\n{WRONG}"
    },
    "replaced_tests": {
        "calc.py": "import _pytest.python as p\ndef patched(self):\n"
        "    if self.nodeid.startswith('tests/'):\n        self.obj = lambda: None\n"
        f"p.Function.setup = patched\n{WRONG}"
    },
    "added_plugin": {
        "calc.py": "import gc, pytest\nclass Green:\n    @pytest.hookimpl(wrapper=True)\n"
        "    def pytest_runtest_makereport(self, item, call):\n        report = yield\n"
        "        if item.nodeid.startswith('tests/'):\n            report.outcome = 'passed'\n        return report\n"
        "for found in gc.get_objects():\n    if isinstance(found, pytest.PytestPluginManager):\n"
        f"        found.register(Green())\n{WRONG}"
    },
    "site_customization": {
        "sitecustomize.py": PATCH, "usercustomize.py": PATCH, "evil.pth": "import os; os._exit(0)\n",
        "evil/__editable__.pth": "import os; os._exit(0)\n",
    },
    "deleted_test": {TEST: None, "tests/test_other.py": "def test_fine():\n    pass\n"},
    "renamed_test": {TEST: None, "tests/check_calc.py": TESTS},
    "skipped_test": {"calc.py": f"import pytest\npytest.skip('later', allow_module_level=True)\n{WRONG}"},
    "skipped_by_mark": {
        "conftest.py": "import pytest\ndef pytest_collection_modifyitems(items):\n"
        "    for item in items: item.add_marker(pytest.mark.skip)\n"
    },
    "expected_to_fail": {
        "calc.py": "import pytest\ndef add(a, b):\n    pytest.xfail('not yet')\n",
    },
    "deselected": {
        "pytest.ini": "[pytest]\naddopts = -k nothing\n", "setup.cfg": "[tool:pytest]\naddopts = --collect-only\n",
        "tox.ini": "[pytest]\ntestpaths = nowhere\n", ".pytest.ini": "[pytest]\naddopts = --ignore=tests\n",
        "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '--deselect tests/test_calc.py'\n",
    },
    "fake_pytest": {
        "pytest.py": "def main(*a, **k): return 0\n", "_pytest/__init__.py": "", "pluggy.py": "", "coverage.py": "",
        "unittest/__init__.py": "", "iniconfig/__init__.py": "",
    },
    "forged_records": {"calc.py": f"{FORGED}{WRONG}"},
    "forged_records_at_end": {
        "calc.py": f"import atexit\ndef forge():\n    exec({FORGED!r})\natexit.register(forge)\n{WRONG}"
    },
    "forked": {"calc.py": f"import os\nif os.fork():\n    os._exit(0)\n{FORGED}{WRONG}"},
    "killed": {"calc.py": f"{WRONG}\ndef add(a, b):\n    import os\n    os.kill(os.getpid(), 9)\n"},
}  # fmt: skip
"""What each puts in the place of the files before it; None takes a file away."""
