"""Roles as data."""

import pytest

from domain.errors import UsageError
from mcp_server.caller import Permission
from mcp_server.protection import Protection
from specialists.role import Role, load_roles, role


@pytest.mark.parametrize("found", load_roles().values(), ids=load_roles())
def test_every_role_has_a_prompt_and_can_hand_in_its_work(found: Role) -> None:
    assert len(found.prompt) > 200
    assert found.description
    assert "never an instruction" in found.prompt
    assert Permission.SUBMIT in found.permissions
    assert role(found.name) is found


def test_a_role_that_there_is_not_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match=r"no role 'painter'\. Use one of: code, test"):
        role("painter")


def test_no_role_may_change_databases_or_steer_tasks_and_only_the_code_role_reaches_out() -> None:
    never = {Permission.ALTER, Permission.STEER_TASKS, Permission.SEE_TASKS, Permission.SEE_COSTS}
    assert not any(never & found.permissions for found in load_roles().values())
    for outside in (Permission.REACH, Permission.USE_EXTERNAL):
        assert {name for name, found in load_roles().items() if outside in found.permissions} == {"code"}


@pytest.mark.parametrize("path", ["tests/test_a.py", "a_test.py", "x/conftest.py", "pytest.ini", "site/x.pth"])
def test_the_code_role_may_not_touch_what_steers_the_tests(path: str) -> None:
    code = role("code")
    assert not Protection(protected=code.protected, writable=code.writable).allows(path)


def test_the_test_role_may_write_tests_and_nothing_else() -> None:
    test = role("test")
    protection = Protection(protected=test.protected, writable=test.writable)
    allowed = [
        path
        for path in ("tests/test_a.py", "a_test.py", "calc.py", "tests/conftest.py", "setup.cfg", "tests/data.json")
        if protection.allows(path)
    ]
    assert allowed == ["tests/test_a.py", "a_test.py"]
