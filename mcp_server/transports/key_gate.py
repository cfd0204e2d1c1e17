"""Who may come in over HTTP: whoever shows an access key."""

import asyncio
import contextlib
import json

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.types import ASGIApp, Receive, Scope, Send

from domain.access import AccessKey, AccessKeys
from domain.errors import StorageUnavailable

REVIEW_EVERY_S = 15.0
"""How often the key of a request that takes long is looked at again: it may have been taken back."""

REMEDY = (
    'Send the header "Authorization: Bearer sst_..." with an access key. Make one with: '
    "soundstage access add --scope tasks:read --scope tasks:write"
)


class KeyGate:
    """An ASGI application before another one, which sees only requests with a key that works, and whose key it is.

    A request that is still being answered when its key is taken back, or expires, is cut off.
    """

    def __init__(self, app: ASGIApp, keys: AccessKeys, review_every_s: float = REVIEW_EVERY_S) -> None:
        self._app = app
        self._keys = keys
        self._review_every_s = review_every_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        shown = _bearer(scope)
        if shown is None:
            await _refuse(send, 401, "", f"No access key was sent. {REMEDY}")
            return
        try:
            key = await self._keys.find(shown)
        except StorageUnavailable as error:
            await _refuse(send, 503, "", str(error))
            return
        if key is None:
            await _refuse(send, 401, "invalid_token", f"This access key is unknown, expired or revoked. {REMEDY}")
            return
        scope["user"] = _user(key)
        await self._while_it_works(shown, asyncio.ensure_future(self._app(scope, receive, send)))

    async def _while_it_works(self, shown: str, answering: "asyncio.Future[None]") -> None:
        try:
            while not (await asyncio.wait([answering], timeout=self._review_every_s))[0]:
                with contextlib.suppress(StorageUnavailable):
                    if await self._keys.find(shown) is None:
                        answering.cancel()
            if not answering.cancelled():
                answering.result()
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)


def _bearer(scope: Scope) -> str | None:
    """What the request shows; two such headers are as good as none, as nobody can tell which one counts."""
    shown = [value for name, value in scope["headers"] if name == b"authorization"]
    scheme, _, token = shown[0].decode("latin-1").partition(" ") if len(shown) == 1 else ("", "", "")
    return token.strip() if scheme.lower() == "bearer" else None


def _user(key: AccessKey) -> AuthenticatedUser:
    """The transport binds its sessions to this: another key cannot go on with them."""
    scopes = sorted(scope.value for scope in key.scopes)
    return AuthenticatedUser(AccessToken(token=key.id, client_id=key.id, subject=key.owner, scopes=scopes))


async def _refuse(send: Send, status: int, error: str, why: str) -> None:
    """A refusal as RFC 6750 has it."""
    body = json.dumps({"error": error or "unauthorized", "error_description": why}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        challenge = 'Bearer realm="soundstage"' + (f', error="{error}"' if error else "")
        headers.append((b"www-authenticate", challenge.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
