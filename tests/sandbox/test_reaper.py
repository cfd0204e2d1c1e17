"""What counts as abandoned, and that nothing else is touched."""

import secrets
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox import hardening, images, reaper
from sandbox.engine import ContainerInfo
from sandbox.hardening import DEADLINE_LABEL, HOME_LABEL, LABEL, LEASE_LABEL, TASK_LABEL
from sandbox.profiles import PROFILES
from sandbox.reaper import DEADLINE_GRACE_S, is_abandoned
from tests.sandbox.docker_place import DockerPlace, until

NOW = 1_000_000.0
OURS = {
    LABEL: "owner",
    TASK_LABEL: "task",
    LEASE_LABEL: "lease",
    DEADLINE_LABEL: f"{NOW + 60:.0f}",
    HOME_LABEL: "home",
}
STATES = ["created", "running", "paused", "exited", "dead", "removing"]


def container(labels: dict[str, str], state: str = "running") -> ContainerInfo:
    """A container with those labels."""
    return ContainerInfo(id="id", name="name", labels=labels, state=state)


@pytest.mark.parametrize(
    ("change", "alive", "abandoned"),
    [
        ({}, {"owner"}, False),
        ({}, {"owner", "another"}, False),
        ({}, set(), True),
        ({}, {"another"}, True),
        ({HOME_LABEL: "another home"}, set(), False),
        ({HOME_LABEL: ""}, set(), False),
        ({DEADLINE_LABEL: f"{NOW - DEADLINE_GRACE_S - 1:.0f}"}, {"owner"}, False),
        ({DEADLINE_LABEL: f"{NOW - DEADLINE_GRACE_S + 1:.0f}"}, {"owner"}, False),
        ({DEADLINE_LABEL: f"{NOW - DEADLINE_GRACE_S - 1:.0f}", HOME_LABEL: "another home"}, set(), True),
        ({DEADLINE_LABEL: f"{NOW - DEADLINE_GRACE_S + 1:.0f}", HOME_LABEL: "another home"}, set(), False),
        ({DEADLINE_LABEL: "soon"}, set(), False),
        ({DEADLINE_LABEL: ""}, set(), False),
        ({DEADLINE_LABEL: "nan"}, {"owner"}, False),
        ({DEADLINE_LABEL: "inf"}, {"owner"}, False),
    ],
)
def test_a_container_of_ours_is_abandoned_when_its_owner_is_gone_or_its_time_is_over(
    change: dict[str, str], alive: set[str], abandoned: bool
) -> None:
    assert is_abandoned(container(OURS | change), "home", alive, NOW) is abandoned


@pytest.mark.parametrize("missing", [LABEL, LEASE_LABEL, DEADLINE_LABEL])
def test_a_container_that_lacks_a_label_of_ours_is_nobodys_business(missing: str) -> None:
    labels = {name: value for name, value in OURS.items() if name != missing}

    assert not is_abandoned(container(labels), "home", set(), NOW)
    assert not is_abandoned(container(labels), "home", set(), NOW + 10**9)


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from([*OURS, "com.example", ""]) | st.text(max_size=20), st.text(max_size=20)),
    st.text(max_size=5),
    st.sets(st.text(max_size=5)),
    st.floats(allow_nan=False),
    st.sampled_from(STATES),
)
def test_a_container_is_never_ours_without_our_labels(
    labels: dict[str, str], home: str, alive: set[str], now: float, state: str
) -> None:
    if LABEL in labels and LEASE_LABEL in labels and DEADLINE_LABEL in labels:
        del labels[LEASE_LABEL]

    assert not is_abandoned(container(labels, state), home, alive, now)


@settings(deadline=None)
@given(
    st.text(max_size=5), st.text(max_size=5), st.text(max_size=5), st.sets(st.text(max_size=5)), st.floats(-1e9, 1e9)
)
def test_a_container_of_this_home_goes_when_its_owner_is_not_alive_and_another_when_its_time_is_over(
    owner: str, its_home: str, home: str, alive: set[str], left_s: float
) -> None:
    labels = OURS | {LABEL: owner, HOME_LABEL: its_home, DEADLINE_LABEL: str(NOW + left_s)}
    over = left_s < -DEADLINE_GRACE_S

    found = is_abandoned(container(labels), home, alive, NOW)

    assert found is (owner not in alive if its_home == home else over)


def created(place: DockerPlace, labels: dict[str, str], starts: bool = True) -> str:
    """Makes a container of our image that sleeps, as somebody else's might; returns its id."""
    made = place.client.create_container(
        images.tag("python"), ["60"], entrypoint=["sleep"], labels=labels, network_disabled=True,
        host_config=place.client.create_host_config(network_mode="none", auto_remove=True),
    )  # fmt: skip
    if starts:
        place.client.start(made["Id"])
    return str(made["Id"])


async def test_reaping_takes_what_a_dead_owner_left_and_nothing_else(place: DockerPlace) -> None:
    home, mine = place.instance.home, place.instance.id
    lease = {LEASE_LABEL: secrets.token_hex(8), HOME_LABEL: home, DEADLINE_LABEL: f"{time.time() + 600:.0f}"}
    containers = {
        "dead owner": created(place, lease | {LABEL: "dead"}),
        "living owner": created(place, lease | {LABEL: "alive"}),
        "this owner": created(place, lease | {LABEL: mine}),
        "another home": created(place, lease | {LABEL: "dead", HOME_LABEL: f"{home}-2"}),
        # Any reaper on this machine may take this one.
        "over": created(place, lease | {LABEL: "alive", HOME_LABEL: f"{home}-2", DEADLINE_LABEL: "1"}, starts=False),
        "no lease": created(place, {LABEL: "dead", HOME_LABEL: home}),
        "no labels": created(place, {}),
    }
    try:
        removed = await place.sandboxes.reap(lambda: {"alive"})

        left = {found["Id"] for found in place.client.containers(all=True) if found["State"] != "removing"}
        gone = {name for name, container_id in containers.items() if container_id not in left}
        assert gone == {"dead owner", "over"}
        assert removed
        assert not any("/" in name for name in removed)
    finally:
        for container_id in containers.values():
            await place.engine.remove(container_id)
    await until(lambda: not {c["Id"] for c in place.client.containers(all=True)} & set(containers.values()))


async def test_a_container_that_was_only_created_is_reaped_as_well(place: DockerPlace) -> None:
    name = f"soundstage-{place.instance.id}"
    labels = hardening.Labels(
        lease=place.instance.id, owner="dead", home=place.instance.home, task_id="t", deadline=time.time() + 600
    )
    body = hardening.Body(image=images.tag("python"), profile=PROFILES["small"], uid=30_000, labels=labels)
    await place.engine.create(name, hardening.runner_config(body, 60.0))

    removed = await reaper.reap(place.engine, place.instance.home, lambda: {place.instance.id})

    assert name in removed
    assert place.mine() == []
