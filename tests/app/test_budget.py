import pytest

from app.budget import parse_budget
from domain.errors import UsageError


def test_a_budget_is_exact() -> None:
    assert parse_budget("0.000000001") == 1
    assert parse_budget("12.5") == 12_500_000_000
    assert parse_budget(None) is None


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "-inf", "1e99", "", "1,5", "0x10"])
def test_what_is_no_budget_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"budget"):
        parse_budget(text)
