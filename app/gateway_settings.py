"""The gateway's policy, as the settings have it."""

import re

from app.inputs import parse_budget
from app.settings import Settings
from domain.errors import UsageError
from domain.ledger import Caps
from gateway.limiter import RateLimits
from gateway.policy import GatewayPolicy

FIELDS = {"concurrency": "concurrency", "requests": "requests_per_minute", "tokens": "tokens_per_minute"}
LIMIT = re.compile(r"(?P<provider>[a-z0-9._-]+)=(?P<limits>[a-z]+:\d+(?:,[a-z]+:\d+)*)")


def gateway_policy(settings: Settings) -> GatewayPolicy:
    """The policy. UsageError where a setting is wrong."""
    return GatewayPolicy(
        limits=read_limits(settings.soundstage_limits),
        max_call_cost=parse_budget(settings.soundstage_call_budget_usd, "SOUNDSTAGE_CALL_BUDGET_USD"),
        hedge_after_s=settings.soundstage_hedge_s,
    )


def caps(settings: Settings) -> Caps:
    """What users, days and subtasks may spend. UsageError where a setting is wrong."""
    return Caps(
        subtask=parse_budget(settings.soundstage_subtask_budget_usd, "SOUNDSTAGE_SUBTASK_BUDGET_USD"),
        day=parse_budget(settings.soundstage_day_budget_usd, "SOUNDSTAGE_DAY_BUDGET_USD"),
        user=parse_budget(settings.soundstage_user_budget_usd, "SOUNDSTAGE_USER_BUDGET_USD"),
    )


def read_limits(text: str) -> dict[str, RateLimits]:
    """Limits by provider from ``openai=concurrency:8,requests:500,tokens:200000 groq=requests:30``. UsageError."""
    found = {}
    for word in text.split():
        match = LIMIT.fullmatch(word)
        pairs = dict(pair.split(":") for pair in match["limits"].split(",")) if match else {"": "0"}
        if match is None or set(pairs) - set(FIELDS) or not all(int(number) for number in pairs.values()):
            raise UsageError(
                f"SOUNDSTAGE_LIMITS cannot be read at {word!r}. Write it like this: "
                "openai=concurrency:8,requests:500,tokens:200000 groq=requests:30"
            )
        found[match["provider"]] = RateLimits(**{FIELDS[name]: int(number) for name, number in pairs.items()})
    return found
