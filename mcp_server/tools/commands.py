"""Running commands, and handing in the work."""

from pydantic import BaseModel, ConfigDict, Field

from domain.command import CommandResult, Verdict, shell
from domain.text import plain
from mcp_server.caller import Permission
from mcp_server.session import ToolSession
from mcp_server.tool import Tool, ToolLimits, ToolOutcome

EXPLANATIONS = {
    Verdict.TIMEOUT: "It was ended at its time limit.",
    Verdict.OOM: "It ran out of memory.",
    Verdict.KILLED: "It was ended by a signal.",
    Verdict.OUTPUT_LIMIT: "It was ended because it wrote too much.",
}


class Shell(BaseModel):
    """Arguments of shell."""

    model_config = ConfigDict(extra="forbid")

    command: str = Field(min_length=1, max_length=100_000, description="a shell command, run in the workspace")
    timeout_s: float = Field(default=30, gt=0, le=300, description="seconds until it is ended")


class Submit(BaseModel):
    """Arguments of submit."""

    model_config = ConfigDict(extra="forbid")

    summary: str = Field(max_length=4000, description="what was done, in a few sentences")
    artifacts: list[str] = Field(
        default_factory=list,
        max_length=20,
        description="paths of build output to hand over besides the source tree, such as dist/*.whl; usually none",
    )


class CommandEnd(BaseModel):
    """How a command ended. ``exit_code`` is None where it was ended."""

    verdict: Verdict
    exit_code: int | None
    duration_s: float


class Submission(BaseModel):
    """Work that a specialist calls done: its summary, and the files that it wants kept."""

    submitted: str
    artifacts: tuple[str, ...]


async def _shell(session: ToolSession, arguments: Shell) -> ToolOutcome:
    result = await session.sandbox.run(shell(arguments.command, arguments.timeout_s))
    note = await session.sync(f"shell: {arguments.command}")
    end = CommandEnd(verdict=result.verdict, exit_code=result.exit_code, duration_s=result.duration_s)
    return ToolOutcome(text="\n".join(part for part in (_describe(result), note) if part), ok=result.ok, data=end)


def _describe(result: CommandResult) -> str:
    status = EXPLANATIONS.get(result.verdict, f"Exit code {result.exit_code}.")
    return f"{plain(result.text())}\n[{status}]".lstrip("\n")


async def _submit(session: ToolSession, arguments: Submit) -> ToolOutcome:
    note = await session.sync("submit", closely=True)
    submission = Submission(submitted=arguments.summary, artifacts=tuple(arguments.artifacts))
    said = "Submitted. It will be verified now."
    return ToolOutcome(text=f"{said}\n{note}" if note else said, data=submission)


COMMAND_TOOLS = (
    Tool(
        name="shell",
        description="Runs a shell command in the workspace. No network. What it leaves running is ended.",
        session=ToolSession,
        arguments=Shell,
        permission=Permission.EXECUTE,
        handler=_shell,
        example={"command": "ls -la", "timeout_s": 30},
        data=CommandEnd,
        destructive=True,
        limits=ToolLimits(timeout_s=600),
    ),
    Tool(
        name="submit",
        description="Hands in the work. Use it once, when all is done.",
        session=ToolSession,
        arguments=Submit,
        permission=Permission.SUBMIT,
        handler=_submit,
        example={"summary": "Implemented add() and ran the tests."},
        data=Submission,
        idempotent=True,
        limits=ToolLimits(timeout_s=150),
    ),
)
