"""What the director works with; the composition root puts it together."""

from collections.abc import Callable
from dataclasses import dataclass, field

from director.installer import Installer
from domain.artifacts import ArtifactStore
from domain.catalogue import Catalogue
from domain.event_log import EventLog
from domain.journal import Journal
from domain.ledger import Caps, Ledger
from domain.workspace import Workspaces
from gateway.gateway import Gateway
from mcp_server.dispatcher import Dispatcher
from sandbox.base import Sandboxes


@dataclass(frozen=True)
class Equipment:
    """The parts. ``journals`` makes the journal of a task; ``worker`` is the id of this process; ``installer`` is None
    where nothing can be installed; ``caps`` are those of users, days and subtasks; ``catalogue`` knows the models."""

    sandboxes: Sandboxes
    workspaces: Workspaces
    gateway: Gateway
    ledger: Ledger
    log: EventLog
    dispatcher: Dispatcher
    artifacts: ArtifactStore
    journals: Callable[[str], Journal]
    worker: str
    installer: Installer | None = None
    caps: Caps = field(default_factory=Caps)
    catalogue: Catalogue = field(default_factory=lambda: Catalogue(()))
