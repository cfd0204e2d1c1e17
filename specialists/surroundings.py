"""What a specialist works through."""

from dataclasses import dataclass

from domain.event_log import EventLog
from domain.journal import Journal
from gateway.gateway import Gateway
from mcp_server.client import ToolClient


@dataclass(frozen=True)
class Surroundings:
    """Models, tools, the journal and the event log."""

    gateway: Gateway
    tools: ToolClient
    journal: Journal
    log: EventLog
