"""Running the conformance suite of the MCP project, and what it found."""

import asyncio
import json
import re
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
from typing import NamedTuple

from tests.mcp_server.conformance.server import build_probe_server
from tests.mcp_server.conformance.serving import served
from tests.node_tools import NodeTools

VERSIONS = ("2025-11-25", "2026-07-28")
"""The newest protocol of each era; each holds the scenarios of the revisions before it that still apply."""

NOT_OFFERED = {
    "tasks-": "the SDK has no tasks yet (SEP-2663): run_task gives an id of its own, and get_task tells of it",
    "sep-2640-skills-": "Soundstage has no skills for models elsewhere: its prompts are for people",
}
"""Extensions of the protocol, which nobody has to offer, by how their scenarios' names begin; and why not."""

GOOD = frozenset({"SUCCESS", "INFO"})
FOLDER = re.compile(r"server-(?P<scenario>.+)-\d{4}-\d\d-\d\dT[\d-]+Z")
LISTED = re.compile(r"^  - (?P<scenario>\S+) \[(?P<kind>[^\]]+)\]$", re.MULTILINE)
PATIENCE_S = 120.0
NODE_TOOLS = NodeTools()


class Check(NamedTuple):
    """One thing that the suite looked at, and its own words on it."""

    scenario: str
    id: str
    status: str
    message: str

    @property
    def good(self) -> bool:
        """Whether nothing is wrong with it; what was skipped, or only warned of, is not good."""
        return self.status in GOOD

    def __str__(self) -> str:
        return f"{self.scenario}: {self.id}: {self.status}: {self.message}"


async def scenarios(version: str | None = None) -> dict[str, str]:
    """The scenarios for servers, of a version or all, and what they are about."""
    listed = await _output("list", "--server", *(("--spec-version", version) if version is not None else ()))
    return {line["scenario"]: line["kind"] for line in LISTED.finditer(listed)}


async def checks(url: str, version: str) -> list[Check]:
    """What the suite finds at a URL. A scenario that did not look at anything has a check that says so."""
    with tempfile.TemporaryDirectory() as folder:
        options = ("--url", url, "--suite", "all", "--spec-version", version, "--output-dir", folder)
        printed = await _output("server", *options)
        found = await asyncio.to_thread(_read, Path(folder))
    looked_at = {check.scenario for check in found if check.status == "SUCCESS"}
    missing = sorted((await scenarios(version)).keys() - looked_at)
    return found + [Check(scenario, "nothing", "MISSING", printed[-500:]) for scenario in missing]


async def probe_checks() -> dict[str, list[Check]]:
    """What the suite finds, by version, at a server with everything that it looks for by name."""
    async with served(build_probe_server()) as url:
        found = await asyncio.gather(*(checks(url, version) for version in VERSIONS))
    return dict(zip(VERSIONS, found, strict=True))


async def failed_scenarios() -> list[str]:
    """The scenarios with anything that is not good, each with its version."""
    found = await probe_checks()
    return sorted({f"{version} {check.scenario}" for version in found for check in found[version] if not check.good})


def _read(folder: Path) -> list[Check]:
    found = []
    for path in sorted(folder.glob("*/checks.json")):
        name = FOLDER.fullmatch(path.parent.name)
        assert name is not None, path
        for check in json.loads(path.read_text()):
            message = check.get("errorMessage") or check["description"]
            found.append(Check(name["scenario"], check["id"], check["status"], message))
    return found


async def _output(*arguments: str) -> str:
    """What the suite prints; its exit code only says again what it found."""
    command = NODE_TOOLS.command("conformance", *arguments)
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
    try:
        async with asyncio.timeout(PATIENCE_S):
            printed, complained = await process.communicate()
        return (printed + complained).decode(errors="replace")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
