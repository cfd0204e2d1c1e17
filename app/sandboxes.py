"""The sandboxes of a home."""

from app.settings import Settings
from sandbox.address import read_pool
from sandbox.container import Instance
from sandbox.docker_sandbox import DockerSandboxes, build_of
from sandbox.engine import DockerEngine
from sandbox.node import Node, NodeLimits


def docker_sandboxes(settings: Settings, instance: Instance, warm: bool = True) -> DockerSandboxes:
    """Sandboxes on the engines of the settings, some of them kept ready. UsageError where a setting is wrong."""
    limits = NodeLimits(memory=settings.soundstage_sandbox_memory, containers=settings.soundstage_sandboxes)
    nodes = [Node(DockerEngine(address.host), instance, address.weight, limits) for address in settings.engines]
    wanted = read_pool(settings.soundstage_pool, settings.soundstage_isolation) if warm else {}
    sizes = {build_of(request): size for request, size in wanted.items() if size}
    sandboxes = DockerSandboxes(nodes, instance, sizes)
    sandboxes.pool.start()
    return sandboxes
