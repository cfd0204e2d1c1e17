"""Entries in the audit log for what is handed out besides the answers of tools."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

from mcp.shared.exceptions import MCPError

from domain.audit import AuditVerdict
from domain.errors import SoundstageError
from mcp_server.dispatcher import Dispatcher
from mcp_server.ide.prompts import PromptProblem
from mcp_server.ide.resources import UnknownResource
from mcp_server.ide.session import IdeSession


@dataclass
class HandedOut:
    """How many characters a request handed out."""

    size: int = 0


@contextlib.contextmanager
def entry(dispatcher: Dispatcher, session: IdeSession, name: str) -> Iterator[HandedOut]:
    """Writes one entry about a request, however it ends. Errors go on to whoever made it."""
    started, handed_out = time.monotonic(), HandedOut()
    verdict, reason = AuditVerdict.CANCELLED, ""
    try:
        yield handed_out
        verdict = AuditVerdict.DONE
    except UnknownResource:
        verdict, reason = AuditVerdict.REFUSED, "there is no such resource"
        raise
    except MCPError as error:
        verdict, reason = AuditVerdict.REFUSED, str(error)
        raise
    except Exception as error:  # written down, whatever it is, and raised on
        known = isinstance(error, SoundstageError | ValueError | PromptProblem)
        verdict, reason = AuditVerdict.FAILED, str(error) if known else type(error).__name__
        raise
    finally:
        dispatcher.record(session, name, verdict, reason, handed_out.size, time.monotonic() - started)
