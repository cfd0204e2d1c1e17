"""What is told of projects: the providers of context, and how a budget is shared among them."""

from pathlib import Path

from domain.task import LOCAL_OWNER
from mcp_server.context.documentation import Documentation
from mcp_server.context.environment import EnvironmentContext
from mcp_server.context.preferences import READ_BYTES, Preferences
from mcp_server.context.project_context import Part, ProjectContext
from mcp_server.context.repository import Repository
from mcp_server.repo_map.repo_map import RepoMap


def project_context(repo_map: RepoMap, preferences: Path) -> ProjectContext:
    """All providers; ``preferences`` is the file of the person whose home it is."""
    return ProjectContext(
        (
            Part(Preferences(OwnPreferences(preferences)), 0.3),
            Part(EnvironmentContext(), 0.1),
            Part(Documentation(), 0.2),
            Part(Repository(repo_map), 1),
        )
    )


class OwnPreferences:
    """Reads what a person prefers, anew each time: whoever sits at this machine, and nobody else."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self, owner: str) -> str:
        """What the person wrote down, or nothing."""
        if owner != LOCAL_OWNER or not self._file.is_file():
            return ""
        with self._file.open("rb") as file:
            return file.read(READ_BYTES).decode("utf-8-sig", "replace")
