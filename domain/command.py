"""Commands that run in a sandbox, and what came of them."""

from enum import StrEnum

from pydantic import Field, field_validator

from domain.base import Value

MAX_COMMAND_BYTES = 128 * 1024
"""The kernel refuses a single longer argument (MAX_ARG_STRLEN)."""


class Verdict(StrEnum):
    """How a command ended."""

    OK = "ok"
    FAILED = "failed"
    TIMEOUT = "timeout"
    OOM = "oom"
    KILLED = "killed"
    OUTPUT_LIMIT = "output_limit"
    INFRASTRUCTURE = "infrastructure"


class Command(Value):
    """A program with arguments. It runs in the sandbox's workspace, without a shell.

    ``timeout_s`` is wall-clock seconds; ``output_limit`` is bytes of stdout plus stderr, past which the
    command is ended. With ``report`` the program finds a pipe for its structured report at file
    descriptor 3.
    """

    argv: tuple[str, ...] = Field(min_length=1)
    cwd: str = "."
    env: dict[str, str] = Field(default_factory=dict)
    stdin: bytes = b""
    timeout_s: float = Field(default=30.0, gt=0, le=3600)
    output_limit: int = Field(default=8 * 1024 * 1024, gt=0)
    report: bool = False

    @field_validator("argv")
    @classmethod
    def _sendable(cls, argv: tuple[str, ...]) -> tuple[str, ...]:
        for argument in argv:
            if "\0" in argument:
                raise ValueError("a command must not contain NUL characters; remove them")
            if len(argument.encode(errors="surrogateescape")) > MAX_COMMAND_BYTES - 1:
                raise ValueError("an argument is longer than 128 KiB; write it to a file and run the file")
        return argv


def shell(script: str, timeout_s: float = 30.0) -> Command:
    """The command that runs ``script`` by a shell."""
    return Command(argv=("/bin/sh", "-c", script), timeout_s=timeout_s)


class ResourceUsage(Value):
    """What a sandbox used while a command ran, as far as it can be measured there; None where it cannot.

    ``cpu_s`` is CPU seconds of all processes together; ``peak_memory`` is bytes, what lies in the workspace included;
    ``written_bytes`` is what was handed to write calls, output included; ``output_bytes`` is stdout plus stderr, what
    was past the limit included.
    """

    cpu_s: float | None = None
    peak_memory: int | None = None
    written_bytes: int | None = None
    output_bytes: int = 0


class CommandResult(Value):
    """What a command did. A command that fails is a result; only infrastructure that fails raises.

    ``exit_code`` is None when the command did not exit by itself. ``stdout`` and ``stderr`` hold 8 MiB of output at
    most, which is all of it unless the command's limit is higher; ``report`` is what it wrote to file descriptor 3.
    ``duration_s`` is wall clock.
    """

    verdict: Verdict
    exit_code: int | None
    stdout: bytes = b""
    stderr: bytes = b""
    report: bytes = b""
    duration_s: float = 0.0
    usage: ResourceUsage = ResourceUsage()

    @property
    def ok(self) -> bool:
        """Whether the command exited with 0 within its limits."""
        return self.verdict is Verdict.OK

    def text(self) -> str:
        """Stdout and stderr as text; bytes that are no UTF-8 become the replacement character."""
        return "\n".join(part.decode(errors="replace").rstrip("\n") for part in (self.stdout, self.stderr) if part)
