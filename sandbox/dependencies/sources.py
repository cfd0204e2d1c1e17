"""The sources of packages that there are, by language."""

from sandbox.base import Sandboxes
from sandbox.dependencies.installation import Installation
from sandbox.dependencies.maven_source import MavenSource
from sandbox.dependencies.npm_client import NpmClient
from sandbox.dependencies.pip_client import PipClient
from sandbox.dependencies.settings import PackageSettings
from sandbox.dependencies.source import Source


def sources(sandboxes: Sandboxes, settings: PackageSettings) -> dict[str, Source]:
    """Language -> where its packages come from. Package clients run in ``sandboxes``."""
    return {
        "python": Installation(PipClient(settings), sandboxes, settings),
        "typescript": Installation(NpmClient(settings), sandboxes, settings),
        "java": MavenSource(settings),
    }
