from decimal import Decimal

import pytest

from domain.catalogue import Capability, Catalogue, ModelInfo
from domain.chat import Image, ModelRequest, ToolSchema, UserMessage
from domain.errors import ContextTooLong, ModelRequestRejected, UsageError
from domain.tariff import WrittenPrice
from gateway.base import Call, Completion
from gateway.knowledge import Knowledge
from gateway.pricing import Prices
from gateway.router import Router
from tests.gateway.house import Voice, call, upstream

TOOL = ToolSchema(name="shell", description="", parameters={"type": "object"})
KNOWN = Knowledge(
    Catalogue(
        [
            ModelInfo(provider="big", id="m", context_tokens=100_000, strength=5, capabilities=frozenset(Capability)),
            ModelInfo(
                provider="mid", id="m", context_tokens=50_000, strength=4, capabilities=frozenset({Capability.TOOLS})
            ),
            ModelInfo(provider="small", id="m", context_tokens=1_000, strength=1),
        ]
    ),
    Prices(
        [
            WrittenPrice(provider="big", id="m", input=Decimal(9), output=Decimal(9)),
            WrittenPrice(provider="mid", id="m", input=Decimal(3), output=Decimal(3)),
            WrittenPrice(provider="small", id="m", input=Decimal(1), output=Decimal(1)),
        ]
    ),
)
ALL = "big/m,mid/m,small/m,new/m"


@pytest.fixture
def router() -> Router:
    return Router({name: upstream(Voice(name)) for name in ("big", "mid", "small", "new")}, KNOWN)


def asked(route: str = ALL, text: str = "hi", difficulty: int = 3, **more: object) -> Call:
    message = UserMessage(
        content=text, images=(Image(media_type="image/png", data="AA=="),) if more.pop("image", 0) else ()
    )
    request = ModelRequest.model_validate({"model": route, "messages": (message,), "max_output_tokens": 10, **more})
    return call(route, request=request, difficulty=difficulty)


def order(router: Router, one: Call) -> list[str]:
    return [candidate.provider for candidate in router.choice(one).able]


def test_models_of_which_it_is_known_that_they_lack_something_are_not_asked(router: Router) -> None:
    assert order(router, asked()) == ["big", "mid", "small", "new"]
    assert order(router, asked(tools=(TOOL,))) == ["big", "mid", "new"]
    assert order(router, asked(json_schema={"type": "object"})) == ["big", "new"]
    assert order(router, asked(text="x" * 90_000)) == ["big", "mid", "new"]
    assert order(router, asked(text="x" * 200_000)) == ["big", "new"]
    assert order(router, asked(image=1)) == ["big", "new"]


def test_what_they_lack_is_told(router: Router) -> None:
    unable = router.choice(asked("mid/m,small/m", tools=(TOOL,), text="x" * 200_000)).unable
    told = {candidate.provider: error for candidate, error in unable.items()}
    assert isinstance(told["mid"], ContextTooLong)
    assert type(told["small"]) is ModelRequestRejected
    assert "lacks tools" in str(told["small"])


def test_a_single_model_is_asked_in_any_case(router: Router) -> None:
    assert order(router, asked("small/m", tools=(TOOL,))) == ["small"]


def test_the_cheapest_is_asked_first_and_one_without_a_price_last(router: Router) -> None:
    assert order(router, asked(f"cheapest:{ALL}")) == ["small", "mid", "big", "new"]


@pytest.mark.parametrize(
    ("difficulty", "expected"),
    [(1, ["small", "mid", "big", "new"]), (4, ["mid", "big", "new", "small"]), (5, ["big", "mid", "new", "small"])],
)
def test_the_cheapest_that_is_strong_enough_goes_first(router: Router, difficulty: int, expected: list[str]) -> None:
    assert order(router, asked(f"difficulty:{ALL}", difficulty=difficulty)) == expected


async def test_the_fastest_by_measure_is_asked_first_after_those_that_were_never_measured() -> None:
    upstreams = {name: upstream(Voice(name)) for name in ("big", "mid", "small", "new")}
    for name, seconds in (("big", 3.0), ("mid", 1.0), ("small", 2.0)):
        async with upstreams[name].turn("m", "t", 1, 1.0) as turn:
            reply = await turn.provider.complete(asked().request)
            turn.completion = Completion(reply=reply, provider=name, model="m", first_token_s=seconds)
    assert order(Router(upstreams, KNOWN), asked(f"fastest:{ALL}")) == ["new", "mid", "small", "big"]


def test_whether_a_route_may_call_tools(router: Router) -> None:
    assert router.may(Capability.TOOLS, "mid/m,small/m")
    assert router.may(Capability.TOOLS, "new/m")
    assert not router.may(Capability.TOOLS, "small/m")
    with pytest.raises(UsageError):
        router.may(Capability.TOOLS, ",")
