"""Who calls from outside: whoever started this process, or the holder of an access key."""

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken

from domain.access import AccessScope
from domain.task import LOCAL_OWNER
from domain.text import one_line
from mcp_server.caller import Caller, Permission
from mcp_server.ide.session import PERSON
from mcp_server.ide.updates import Context

ALLOWED = {
    AccessScope.SEE_TASKS: Permission.SEE_TASKS,
    AccessScope.STEER_TASKS: Permission.STEER_TASKS,
    AccessScope.SEE_COSTS: Permission.SEE_COSTS,
}
"""What the scopes of a key allow here; the others are about other doors."""


def person_here(context: Context) -> Caller:
    """The person at this machine, by the name of their client, which may claim to be anybody."""
    return Caller(actor=f"client {_client(context)}".strip(), permissions=PERSON, owner=LOCAL_OWNER)


def key_holder(context: Context) -> Caller:
    """Whoever holds the access key that came with an HTTP request."""
    user = context.request.user if context.request is not None else None
    if not isinstance(user, AuthenticatedUser):
        raise TypeError("A request came in without its access key having been looked at.")
    key: AccessToken = user.access_token
    permissions = frozenset(permission for scope, permission in ALLOWED.items() if scope.value in key.scopes)
    client = _client(context)
    actor = f"key {key.client_id}" + (f" ({client})" if client else "")
    return Caller(actor=actor, permissions=permissions, owner=key.subject or LOCAL_OWNER)


def _client(context: Context) -> str:
    """What the client calls itself, which may be anything."""
    params = context.session.client_params
    return one_line(params.client_info.name, 40) if params is not None and params.client_info is not None else ""
