import pytest

from app.gateway_settings import caps, gateway_policy, read_limits
from app.settings import Settings
from domain.errors import UsageError
from domain.ledger import Caps
from domain.money import NanoUsd
from gateway.limiter import RateLimits


def test_limits_are_read_by_provider() -> None:
    assert read_limits("") == {}
    assert read_limits("openai=concurrency:8,requests:500,tokens:200000  my-server=requests:30") == {
        "openai": RateLimits(concurrency=8, requests_per_minute=500, tokens_per_minute=200_000),
        "my-server": RateLimits(requests_per_minute=30),
    }


@pytest.mark.parametrize(
    "text", ["openai", "openai=", "openai=8", "openai=rpm:8", "openai=requests:0", "a=requests:-1", "=requests:1"]
)
def test_limits_that_cannot_be_read_are_said(text: str) -> None:
    with pytest.raises(UsageError, match="SOUNDSTAGE_LIMITS cannot be read"):
        read_limits(text)


def test_budgets_are_amounts_in_usd_and_the_setting_that_is_wrong_is_named() -> None:
    settings = Settings(soundstage_day_budget_usd="2.50", soundstage_call_budget_usd="0.000000001")
    assert caps(settings) == Caps(day=NanoUsd(2_500_000_000))
    assert gateway_policy(settings).max_call_cost == 1
    with pytest.raises(UsageError, match="SOUNDSTAGE_USER_BUDGET_USD"):
        caps(Settings(soundstage_user_budget_usd="much"))
