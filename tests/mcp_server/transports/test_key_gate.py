"""Who is let in over HTTP."""

import asyncio
import json
from typing import Any

import pytest
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcp_server.transports.key_gate import KeyGate
from mcp_server.transports.recent_keys import FRESH_S, RecentKeys
from tests.mcp_server.transports.keys import GOOD, Keys


class Inside:
    """An application that remembers who came, and stays with ``forever`` until it is cut off."""

    def __init__(self, forever: bool = False) -> None:
        self.users: list[Any] = []
        self.forever = forever
        self.entered = asyncio.Event()
        self.cut_off = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers."""
        del receive
        self.users.append(scope["user"])
        self.entered.set()
        if self.forever:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cut_off = True
                raise
        await send({"type": "http.response.start", "status": 200, "headers": []})


async def ask(app: ASGIApp, *shown: str) -> tuple[int | None, dict[str, str], dict[str, str]]:
    """Status, headers and body of the answer to a request with these ``Authorization`` headers."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(dict(message))

    await app({"type": "http", "headers": [(b"authorization", value.encode()) for value in shown]}, receive, send)
    if not sent:
        return None, {}, {}
    body = b"".join(message.get("body", b"") for message in sent)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, json.loads(body) if body else {}


async def test_the_holder_of_a_key_comes_in_as_its_owner() -> None:
    inside = Inside()

    status, _, _ = await ask(KeyGate(inside, Keys()), f"bearer  {GOOD} ")

    assert status == 200
    (user,) = inside.users
    assert isinstance(user, AuthenticatedUser)
    assert (user.access_token.client_id, user.access_token.subject, user.scopes) == (
        "000000000001", "local", ["tasks:read"],
    )  # fmt: skip
    assert GOOD not in repr(user.access_token)


@pytest.mark.parametrize("shown", [(), ("",), ("Basic abc",), (GOOD,), (f"Bearer {GOOD}", f"Bearer {GOOD}")])
async def test_who_shows_no_key_hears_how_to_show_one(shown: tuple[str, ...]) -> None:
    inside = Inside()

    status, headers, body = await ask(KeyGate(inside, Keys()), *shown)

    assert (status, headers["www-authenticate"], inside.users) == (401, 'Bearer realm="soundstage"', [])
    assert "soundstage access add" in body["error_description"]


@pytest.mark.parametrize(
    "shown", ["Bearer ", "Bearer sst_other", "Bearer \udcff", f"Bearer {GOOD}x", f"Bearer {GOOD} x"]
)
async def test_a_key_that_is_none_lets_nobody_in(shown: str) -> None:
    inside = Inside()
    value = shown.encode("utf-8", "surrogateescape").decode("latin-1")

    status, headers, body = await ask(KeyGate(inside, Keys()), value)

    assert (status, inside.users) == (401, [])
    assert 'error="invalid_token"' in headers["www-authenticate"]
    assert "unknown, expired or revoked" in body["error_description"]


async def test_nobody_comes_in_while_the_keys_cannot_be_read() -> None:
    keys, inside = Keys(), Inside()
    keys.broken = True

    status, headers, body = await ask(KeyGate(inside, keys), f"Bearer {GOOD}")

    assert (status, inside.users, "www-authenticate" in headers) == (503, [], False)
    assert body["error_description"] == "The disk is gone. Bring it back."


async def test_a_request_is_cut_off_when_its_key_is_taken_back() -> None:
    keys, inside = Keys(), Inside(forever=True)
    asking = asyncio.create_task(ask(KeyGate(inside, keys, review_every_s=0.001), f"Bearer {GOOD}"))
    await inside.entered.wait()

    keys.broken = True
    while await keys.turns.get() < 5:
        pass
    assert not inside.cut_off  # a disk that is gone for a while ends nothing

    keys.broken, keys.known = False, {}
    status, _, body = await asking
    assert (status, body["error"], inside.cut_off) == (401, "invalid_token", True)


async def test_an_answer_that_has_begun_ends_with_its_key() -> None:
    keys, sent = Keys(), list[Message]()

    async def telling(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        keys.known = {}
        await asyncio.Event().wait()

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(dict(message))

    shown = [(b"authorization", f"Bearer {GOOD}".encode())]
    await KeyGate(telling, keys, review_every_s=0.001)({"type": "http", "headers": shown}, receive, send)
    assert [message.get("body") for message in sent] == [None, b"one", b""]
    assert not sent[-1].get("more_body")


async def test_a_client_that_goes_away_ends_its_request() -> None:
    inside = Inside(forever=True)
    asking = asyncio.create_task(ask(KeyGate(inside, Keys()), f"Bearer {GOOD}"))
    await inside.entered.wait()

    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    assert inside.cut_off


async def test_what_fails_inside_comes_out_as_it_is() -> None:
    async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await ask(KeyGate(broken, Keys()), f"Bearer {GOOD}")


async def test_a_key_is_known_for_a_second_and_no_longer() -> None:
    keys, at = Keys(), 100.0
    recent = RecentKeys(keys, lambda: at)

    assert await recent.find(GOOD) is not None
    assert await recent.find(GOOD) is not None
    assert keys.asked == 1

    keys.known = {}
    at += FRESH_S
    assert await recent.find(GOOD) is None
    assert keys.asked == 2


async def test_what_is_no_key_is_asked_about_each_time() -> None:
    keys = Keys()
    recent = RecentKeys(keys)

    assert [await recent.find("sst_other"), await recent.find("sst_other")] == [None, None]
    assert keys.asked == 2
