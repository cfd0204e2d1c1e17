"""Money as an integer number of nano-USD, so that sums are exact."""

from decimal import ROUND_CEILING, Decimal
from typing import NewType

NanoUsd = NewType("NanoUsd", int)
"""One billionth of a US dollar."""

NANO_PER_USD = 1_000_000_000
FREE = NanoUsd(0)


def from_usd(amount: Decimal) -> NanoUsd:
    """Nano-USD for an amount in USD, rounded up so that a charge is never understated."""
    return NanoUsd(int((amount * NANO_PER_USD).to_integral_value(rounding=ROUND_CEILING)))


def format_usd(amount: NanoUsd) -> str:
    """An amount for people: ``$0.0123``; four digits after the point, more below a hundredth of a cent."""
    usd = Decimal(amount) / NANO_PER_USD
    return f"${usd:.4f}" if amount == 0 or abs(usd) >= Decimal("0.0001") else f"${usd:.9f}"
