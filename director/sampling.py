"""How many candidates are worth their price."""

from domain.money import NanoUsd

UNCAPPED = 3
"""Candidates of a priced model where the task has no budget that would limit them."""


def candidates(most: int, attempt_cost: NanoUsd, left: NanoUsd | None) -> int:
    """How many candidates to make at once, 1 to ``most``.

    ``attempt_cost`` is what an attempt at the task cost so far, 0 where the model is free; ``left`` is what is left of
    the budget, of which at most half goes into candidates; None without a budget.
    """
    if attempt_cost <= 0:
        return most
    affordable = UNCAPPED if left is None else left // (2 * attempt_cost)
    return max(1, min(most, affordable))
