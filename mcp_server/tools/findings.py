"""Reporting what is wrong with code, by whoever reads it and changes nothing."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from domain.finding import Finding, Severity
from domain.text import one_line
from mcp_server.caller import Permission
from mcp_server.session import ToolSession
from mcp_server.tool import Tool, ToolOutcome, ToolRefused
from mcp_server.tools.paths import FilePath

MOST_AT_ONCE = 50


class Reported(BaseModel):
    """A finding."""

    model_config = ConfigDict(extra="forbid")

    path: FilePath = Field(description="the file that it is in")
    line: int = Field(default=0, ge=0, description="the line, from 1; 0 for the whole file")
    severity: Literal["critical", "major", "minor"]
    text: str = Field(min_length=1, max_length=2000, description="what is wrong, and what would be right")


def _listed(given: object) -> object:
    """A single finding is a list of one."""
    return [given] if isinstance(given, dict) else given


class ReportFindings(BaseModel):
    """Arguments of report_findings."""

    model_config = ConfigDict(extra="forbid")

    findings: Annotated[list[Reported], BeforeValidator(_listed)] = Field(
        min_length=1, max_length=MOST_AT_ONCE, description="what was found"
    )


class Findings(BaseModel):
    """What was reported."""

    findings: tuple[Finding, ...]


async def _report(session: ToolSession, arguments: ReportFindings) -> ToolOutcome:
    findings = tuple(_placed(session, reported) for reported in arguments.findings)
    text = f"Noted: {len(findings)}. Report more if there is more, or submit."
    return ToolOutcome(text=text, data=Findings(findings=findings))


def _placed(session: ToolSession, reported: Reported) -> Finding:
    """The finding, at a place that there is. ToolRefused."""
    lines = len(session.file(reported.path).content.splitlines())
    if reported.line > lines:
        raise ToolRefused(f"{one_line(reported.path)} has {lines} lines and no line {reported.line}. Read it again.")
    return Finding(path=reported.path, line=reported.line, severity=Severity(reported.severity), text=reported.text)


FINDING_TOOLS = (
    Tool(
        name="report_findings",
        description="Reports what is wrong in the code, and where. It can be used several times before submit.",
        session=ToolSession,
        arguments=ReportFindings,
        permission=Permission.REVIEW,
        handler=_report,
        example={
            "findings": [
                {"path": "src/app.py", "line": 12, "severity": "major", "text": "The file is never closed; use with."}
            ]
        },
        data=Findings,
        idempotent=True,
    ),
)
