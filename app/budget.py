"""Budgets as people write them."""

import decimal

from domain.errors import UsageError
from domain.money import NanoUsd, from_usd

MAX_BUDGET_USD = decimal.Decimal(1_000_000)


def parse_budget(text: str | None, name: str = "--budget-usd") -> NanoUsd | None:
    """A budget in USD, of the option or setting of that name. UsageError when it is no amount, or lets nothing
    happen."""
    if text is None:
        return None
    try:
        amount = decimal.Decimal(text)
    except decimal.InvalidOperation:
        amount = decimal.Decimal("nan")
    if not amount.is_finite() or amount > MAX_BUDGET_USD:
        raise UsageError(f"{name} takes an amount up to {MAX_BUDGET_USD}, such as 0.50, and {text!r} is none.")
    if amount <= 0:
        raise UsageError(
            f"A budget of {text} USD lets no model call happen. Give {name} an amount above 0, such as 0.50, or leave "
            "it out."
        )
    return from_usd(amount)
