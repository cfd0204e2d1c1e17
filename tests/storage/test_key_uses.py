import pytest

from domain.ledger import Attempt, AttemptOutcome, Scope, Settlement
from domain.money import NanoUsd
from storage.database import Database
from storage.key_uses import SqlKeyUses
from storage.ledger import SqlLedger

OK = (AttemptOutcome.OK, "")
REFUSED = (AttemptOutcome.FAILED, "ModelAuthenticationFailed")
EMPTY = (AttemptOutcome.FAILED, "NoCredit")
LIMITED = (AttemptOutcome.FAILED, "RateLimited")
LEFT = (AttemptOutcome.CANCELLED, "CancelledError")


@pytest.mark.parametrize(
    ("calls", "refused"),
    [
        ([], False),
        ([OK], False),
        ([REFUSED], True),
        ([OK, REFUSED], True),
        ([OK, EMPTY], True),
        ([REFUSED, OK], False),
        ([REFUSED, LIMITED, LEFT], True),
        ([OK, LIMITED], False),
    ],
)
async def test_a_key_is_refused_when_its_last_answer_said_so(
    database: Database, ledger: SqlLedger, calls: list[tuple[AttemptOutcome, str]], refused: bool
) -> None:
    await ledger.open(Scope(id="s"))
    for key, made in (("mine", calls), ("another", [OK]), ("", [REFUSED])):
        for number, (outcome, error) in enumerate(made):
            attempt = Attempt(
                id=f"{key}-{number}", scope="s", task_id="t", subtask_id="", provider="p", model="m", key_id=key,
                reserved=NanoUsd(0), reserved_tokens=0,
            )  # fmt: skip
            await ledger.reserve(attempt)
            await ledger.settle(Settlement(attempt_id=attempt.id, outcome=outcome, error=error))

    assert await SqlKeyUses(database).refused() == (frozenset({"mine"}) if refused else frozenset())
