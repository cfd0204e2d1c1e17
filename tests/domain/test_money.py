from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import FREE, NANO_PER_USD, NanoUsd, format_usd, from_usd

# Up to 27 digits, as a price list gives them.
AMOUNTS = st.decimals(min_value=0, max_value=10**9, places=18, allow_nan=False, allow_infinity=False)


@given(AMOUNTS)
def test_a_charge_is_never_understated_and_overstated_by_less_than_one_nano(amount: Decimal) -> None:
    exact = Fraction(amount) * NANO_PER_USD

    assert exact <= from_usd(amount) < exact + 1


@given(AMOUNTS, AMOUNTS)
def test_a_sum_of_charges_is_not_below_the_charge_of_the_sum(one: Decimal, other: Decimal) -> None:
    assert from_usd(one) + from_usd(other) >= from_usd(one + other)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (FREE, "$0.0000"),
        (NanoUsd(1), "$0.000000001"),
        (NanoUsd(99_999), "$0.000099999"),
        (NanoUsd(100_000), "$0.0001"),
        (NanoUsd(12_300_000), "$0.0123"),
        (NanoUsd(1_234_567_890_123), "$1234.5679"),
    ],
)
def test_an_amount_is_shown_with_the_digits_that_matter(amount: NanoUsd, shown: str) -> None:
    assert format_usd(amount) == shown


@given(st.integers(min_value=1, max_value=10**15).map(NanoUsd))
def test_an_amount_above_zero_is_never_shown_as_zero(amount: NanoUsd) -> None:
    shown = Decimal(format_usd(amount).removeprefix("$"))

    assert shown > 0
    assert abs(shown - Decimal(amount) / NANO_PER_USD) <= Decimal("0.00005")
