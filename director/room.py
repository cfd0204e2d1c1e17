"""What a task's sandboxes are asked for with."""

from domain.task import TaskSpec
from sandbox.base import SandboxRequest


def request_for(spec: TaskSpec, purpose: str, lifetime_s: float, language: str = "python") -> SandboxRequest:
    """A sandbox as the task wants it, for so many seconds."""
    return SandboxRequest(
        task_id=spec.id,
        purpose=purpose,
        language=language,
        profile=spec.profile,
        isolation=spec.isolation,
        lifetime_s=lifetime_s,
    )
