"""Every case runs at every level of isolation that the engine has."""

import pytest

from tests.sandbox.hostile.isolations import LEVELS, isolations

pytest.register_assert_rewrite("tests.sandbox.hostile.arena", "tests.sandbox.hostile.canaries")


def pytest_report_header() -> str:
    """Says which levels those are."""
    missing = [level for level in LEVELS if level not in isolations()]
    note = f"; not there: {', '.join(missing)} (make gvisor)" if missing else ""
    return f"hostile corpus under: {', '.join(isolations())}{note}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Gives each test that asks for it a level of isolation."""
    if "isolation" in metafunc.fixturenames:
        metafunc.parametrize("isolation", isolations())
