"""What a runner says of a request when it has ended."""

import json

from pydantic import BaseModel, Field

from domain.command import ResourceUsage, Verdict
from domain.errors import LeaseEnded, SandboxLost
from sandbox.base import Entry


class Told(BaseModel):
    """The runner's result of a request. It is read strictly: code of the sandbox may have had a hand in it."""

    error: str | None = None
    stale: bool = False
    exit_code: int | None = None
    signal: int | None = None
    ended: str | None = None
    oom_kills: int = 0
    duration_s: float = Field(default=0.0, allow_inf_nan=False)
    cpu_s: float | None = Field(default=None, allow_inf_nan=False)
    peak_memory: int | None = None
    written: int | None = None
    output: int = 0
    changed: list[str] = Field(default_factory=list)
    deleted: list[str] = Field(default_factory=list)
    refused: list[str] = Field(default_factory=list)
    entries: list[Entry | None] = Field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        """How the command ended."""
        if self.oom_kills > 0:
            return Verdict.OOM
        if self.ended is not None:
            return {"timeout": Verdict.TIMEOUT, "output_limit": Verdict.OUTPUT_LIMIT}.get(self.ended, Verdict.KILLED)
        if self.signal is not None:
            return Verdict.KILLED
        return Verdict.OK if self.exit_code == 0 else Verdict.FAILED

    @property
    def usage(self) -> ResourceUsage:
        """What the command used."""
        return ResourceUsage(
            cpu_s=self.cpu_s, peak_memory=self.peak_memory, written_bytes=self.written, output_bytes=self.output
        )


def read_told(payload: bytes) -> Told:
    """The result in a frame; LeaseEnded when it refuses the holder, SandboxLost when it makes no sense."""
    try:
        told = Told.model_validate(json.loads(payload))
    except (ValueError, RecursionError) as error:
        raise SandboxLost("The sandbox's answer makes no sense. Run the task again.") from error
    if told.stale:
        raise LeaseEnded
    return told
