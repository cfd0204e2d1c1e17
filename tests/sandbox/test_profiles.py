"""Profiles: limits that fit together."""

import pytest
from pydantic import ValidationError

from domain.errors import UsageError
from sandbox.hardening import runner_config
from sandbox.profiles import PROFILES, Profile, profile
from tests.sandbox.test_hardening import BODY

SHARED_MEMORY = runner_config(BODY, 1.0)["HostConfig"]["ShmSize"]


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_all_that_is_held_in_memory_leaves_room_for_programs(name: str) -> None:
    limits = profile(name)

    assert limits.workspace + limits.scratch + SHARED_MEMORY < limits.memory
    assert limits.memory - (limits.workspace + limits.scratch + SHARED_MEMORY) >= limits.memory // 4


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_every_limit_is_a_limit(name: str) -> None:
    limits = profile(name)

    assert limits.name == name
    assert 0 < limits.file_size <= limits.workspace
    assert 16 <= limits.pids <= 1024
    assert 0 < limits.cpus <= 4
    assert 0 < limits.inodes <= 1_000_000
    assert 0 < limits.open_files <= 4096


def test_profiles_grow_from_small_to_large() -> None:
    small, default, large = (profile(name) for name in ("small", "default", "large"))

    for field in ("memory", "workspace", "scratch", "cpus", "pids"):
        assert getattr(small, field) < getattr(default, field) < getattr(large, field), field


def test_a_profile_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(UsageError, match=r"'huge'.*default, install, large, small"):
        profile("huge")


def test_a_profile_without_processor_is_refused() -> None:
    with pytest.raises(ValidationError):
        Profile(name="none", memory=2, workspace=1, scratch=0, cpus=0)
