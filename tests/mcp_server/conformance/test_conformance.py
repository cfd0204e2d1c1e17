"""The conformance suite of the MCP project, in both eras of the protocol: our tools and transport, and the product."""

import asyncio
from pathlib import Path

import pytest

from domain.task_service import TaskOrder
from mcp_server.ide.callers import key_holder
from mcp_server.ide.server import build_ide_server
from mcp_server.ide.session import IdeSession
from mcp_server.ide.updates import Context
from tests.app.test_task_desk import careful
from tests.director.stage import open_stage
from tests.mcp_server.conformance.serving import served
from tests.mcp_server.conformance.suite import NOT_OFFERED, VERSIONS, checks, probe_checks, scenarios

pytestmark = pytest.mark.usefixtures("node_tools")

COUNTS = {"2025-11-25": 33, "2026-07-28": 40}
FOR_ANY_SERVER = {
    "2025-11-25": {
        "server-initialize", "server-session-lifecycle", "ping", "tools-list", "tools-call-error",
        "server-sse-multiple-streams", "resources-list", "prompts-list", "dns-rebinding-protection",
    },
    "2026-07-28": {
        "server-stateless", "tools-list", "tools-call-error", "server-sse-multiple-streams", "resources-list",
        "sep-2164-resource-not-found", "prompts-list", "dns-rebinding-protection", "caching", "http-header-validation",
        "input-required-result-unsupported-methods", "input-required-result-ignore-extra-params",
    },
}  # fmt: skip
"""The scenarios that look for no tool, resource or prompt by its name."""

EXCEPT = {
    "sep-2575-server-rejects-undeclared-capability": "calls a tool by its name",
    "sep-2575-missing-capability-http-400": "calls a tool by its name",
    "sep-2575-server-sends-tools-list-changed-on-subscription": "has the list of tools changed by a tool of that name",
    "sep-2575-server-sends-prompts-list-changed-on-subscription": "the product's prompts do not change, and it says so",
}
"""Checks in those scenarios that are not for the product, and why."""


async def test_every_scenario_of_both_eras_passes() -> None:
    found = await probe_checks()
    problems = [f"{version} {check}" for version in VERSIONS for check in found[version] if not check.good]
    print(*(f"{version}: {len(found[version])} checks" for version in VERSIONS), sep="\n")

    assert not problems, "\n".join(problems)
    assert {version: len({check.scenario for check in found[version]}) for version in VERSIONS} == COUNTS


async def test_what_is_in_no_version_is_an_extension_that_we_know_not_to_offer() -> None:
    listed = await scenarios()
    dated = [name for version in VERSIONS for name in await scenarios(version)]
    extensions = listed.keys() - set(dated)

    assert {name for name in extensions if not name.startswith(tuple(NOT_OFFERED))} == set()
    assert {listed[name] for name in extensions} == {"extension"}


async def test_the_product_passes_every_scenario_that_looks_for_nothing_by_its_name(tmp_path: Path) -> None:
    async with open_stage(tmp_path, careful()) as stage:
        await stage.product.tasks.submit(TaskOrder(prompt="Write the module calc."))

        def sessions(context: Context) -> IdeSession:
            return IdeSession(key_holder(context), stage.product.tasks)

        async with served(build_ide_server(sessions, stage.product.dispatcher)) as url:
            found = await asyncio.gather(*(checks(url, version) for version in VERSIONS))
    problems = [
        f"{version} {check}"
        for version, those in zip(VERSIONS, found, strict=True)
        for check in those
        if check.scenario in FOR_ANY_SERVER[version] and check.id not in EXCEPT and not check.good
    ]
    assert not problems, "\n".join(problems)
    for version, those in zip(VERSIONS, found, strict=True):
        assert {check.scenario for check in those} >= FOR_ANY_SERVER[version]
