"""Every scenario ends as it should, on the whole product and in real containers."""

import asyncio
from pathlib import Path

import pytest

from tests.director.scenarios.catalogue import SCENARIOS
from tests.director.scenarios.play import Played, play_all
from tests.director.scenarios.scenario import Scenario


@pytest.fixture(scope="module")
def played(docker_engine: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Played]:
    """All of them, played side by side in one process."""
    home: Path = tmp_path_factory.mktemp("home")
    return {one.scenario.name: one for one in asyncio.run(play_all(home, SCENARIOS))}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
def test_a_scenario_ends_as_it_should(scenario: Scenario, played: dict[str, Played]) -> None:
    assert played[scenario.name].problems == ()
