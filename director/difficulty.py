"""How strong a model some work asks for, from 1 to 5."""

PLANNING = 4
FIRST = 2
MOST = 5


def difficulty_of(attempt: int) -> int:
    """That of the first attempt at some work, or of a later one: where one model failed, a stronger one may not."""
    return min(MOST, FIRST + attempt - 1)
