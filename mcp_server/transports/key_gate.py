"""Who may come in over HTTP: whoever shows an access key."""

import asyncio
import contextlib

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.access import AccessKey, AccessKeys
from domain.errors import StorageUnavailable
from mcp_server.transports.callers import refuse

REVIEW_EVERY_S = 15.0
"""How often the key of a request that takes long is looked at again: it may have been taken back."""

REMEDY = (
    'Send the header "Authorization: Bearer sst_..." with an access key. Make one with: '
    "soundstage access add --scope tasks:read --scope tasks:write"
)
REALM = 'Bearer realm="soundstage"'


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
            challenge = b"www-authenticate", REALM.encode()
            await refuse(send, 401, "unauthorized", f"No access key was sent. {REMEDY}", challenge)
            return
        try:
            key = await self._keys.find(shown)
        except StorageUnavailable as error:
            await refuse(send, 503, "unavailable", str(error))
            return
        if key is None:
            await _refuse_key(send)
            return
        scope["user"] = _user(key)
        answer = _Answer(send)
        await self._while_it_works(shown, asyncio.ensure_future(self._app(scope, receive, answer)), answer)

    async def _while_it_works(self, shown: str, answering: "asyncio.Future[None]", answer: "_Answer") -> None:
        try:
            while not (await asyncio.wait([answering], timeout=self._review_every_s))[0]:
                with contextlib.suppress(StorageUnavailable):
                    if await self._keys.find(shown) is None:
                        answering.cancel()
            if answering.cancelled():
                await answer.cut()
            else:
                answering.result()
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)


class _Answer:
    """What is sent, up to its end, which may be brought about early."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._begun = self._ended = False

    async def __call__(self, message: Message) -> None:
        self._begun = True
        self._ended = message["type"] == "http.response.body" and not message.get("more_body", False)
        await self._send(message)

    async def cut(self) -> None:
        """Says that the key is none any more, where anything can still be said, and ends it."""
        if not self._begun:
            await _refuse_key(self._send)
        elif not self._ended:
            await self._send({"type": "http.response.body", "body": b""})


async def _refuse_key(send: Send) -> None:
    challenge = b"www-authenticate", f'{REALM}, error="invalid_token"'.encode()
    why = f"This access key is unknown, expired or revoked. {REMEDY}"
    await refuse(send, 401, "invalid_token", why, challenge)


def _bearer(scope: Scope) -> str | None:
    """What the request shows; two such headers are as good as none, as nobody can tell which one counts."""
    shown = [value for name, value in scope["headers"] if name == b"authorization"]
    scheme, _, token = shown[0].decode("latin-1").partition(" ") if len(shown) == 1 else ("", "", "")
    return token.strip() if scheme.lower() == "bearer" else None


def _user(key: AccessKey) -> AuthenticatedUser:
    """The transport binds its sessions to this: another key cannot go on with them."""
    scopes = sorted(scope.value for scope in key.scopes)
    return AuthenticatedUser(AccessToken(token=key.id, client_id=key.id, subject=key.owner, scopes=scopes))
