"""What the director works with; the composition root puts it together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from director.installer import Installer
from domain.artifacts import ArtifactStore
from domain.audit import AuditLog
from domain.catalogue import Catalogue
from domain.event_log import EventLog
from domain.journal import Journal
from domain.ledger import Caps, Ledger
from domain.workspace import Workspaces
from gateway.gateway import Gateway
from mcp_server.context.project_context import ProjectContext
from mcp_server.registry import Registry
from sandbox.base import Sandboxes
from specialists.role import Role
from specialists.role_files import load_roles


@dataclass(frozen=True)
class Equipment:
    """The parts. ``journals`` makes the journal of a task; ``worker`` is the id of this process; ``installer`` is None
    where nothing can be installed; ``caps`` are those of users, days and subtasks; ``catalogue`` knows the models;
    ``patience_s`` is how many seconds a person has for an answer; ``context`` knows what projects are like;
    ``roles`` are those that a plan may name."""

    sandboxes: Sandboxes
    workspaces: Workspaces
    gateway: Gateway
    ledger: Ledger
    log: EventLog
    registry: Registry
    audit: AuditLog
    artifacts: ArtifactStore
    journals: Callable[[str], Journal]
    worker: str
    installer: Installer | None = None
    caps: Caps = field(default_factory=Caps)
    patience_s: float = 600.0
    catalogue: Catalogue = field(default_factory=lambda: Catalogue(()))
    context: ProjectContext = field(default_factory=ProjectContext)
    roles: Mapping[str, Role] = field(default_factory=load_roles)
