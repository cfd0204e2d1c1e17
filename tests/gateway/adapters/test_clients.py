"""How the calls of a provider are shared out to clients of its SDK."""

import asyncio

import pytest

from gateway.adapters.adapter import CALLS_OF_A_CLIENT, CLIENTS
from tests.gateway.adapters.contract import ASKED, SUBJECTS, Subject, pieces, talking
from tests.wire.replies import Say

MANY = CLIENTS * CALLS_OF_A_CLIENT + 5


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
async def test_calls_one_after_the_other_have_one_client_and_many_at_once_several(subject: Subject) -> None:
    async with talking(subject, [Say("ok")] * (MANY + 4)) as (provider, _):
        for _ in range(2):
            await provider.complete(ASKED)
            await pieces(provider, ASKED)
        assert list(provider._clients) == [0]

        await asyncio.gather(*(provider.complete(ASKED) for _ in range(MANY)))
        assert sorted(provider._clients) == list(range(CLIENTS))
        assert not any(provider._calls)

        await provider.close()
        assert not provider._clients
