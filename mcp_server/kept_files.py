"""The files that a task has kept so far."""

from domain.artifacts import Artifact, ArtifactStore
from domain.event_log import EventLog
from domain.events import ArtifactsKept


class KeptFiles:
    """Reads them by the paths that they had in the workspace; where a path was kept twice, the later file counts."""

    def __init__(self, log: EventLog, artifacts: ArtifactStore) -> None:
        self._log = log
        self._artifacts = artifacts

    async def of(self, task_id: str) -> dict[str, Artifact]:
        """A task's kept files by path."""
        facts = [event.fact for event in await self._log.read(task_id)]
        return {one.path: one for fact in facts if isinstance(fact, ArtifactsKept) for one in fact.artifacts}

    async def content(self, artifact: Artifact) -> bytes:
        """A kept file's content. UnknownArtifact, StorageUnavailable."""
        return await self._artifacts.get(artifact)
