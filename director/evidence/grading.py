"""How far evidence can be trusted. Pure: what was seen in, a grade and its reason out."""

from director.evidence.kind_check import notices
from domain.base import Value
from domain.evidence import Evidence, Grade, MutationScore


class Grounds(Value):
    """What was seen besides the run.

    ``users_tests`` and ``command`` of the user's, and ``ours``, failed before the work. ``given`` says that the user
    gave any, ``touched`` that the command passes only with tests that the work changed. ``kept``: tests passed before
    the work that have to pass after it, and nothing public may be gone.
    """

    users_tests: bool = False
    command: bool = False
    ours: bool = False
    given: bool = False
    touched: bool = False
    kept: bool = False


def grade(evidence: Evidence, grounds: Grounds) -> tuple[Grade, str]:
    """How far the evidence goes, and why not further."""
    if not evidence.passed:
        return Grade.UNCHECKED, "the tests do not pass"
    if grounds.users_tests:
        return Grade.PROVEN, "the user's tests failed before the work and pass after it"
    if grounds.command:
        return _of_command(evidence, grounds)
    if grounds.ours:
        return _of_ours(evidence)
    if evidence.mutation is not None and evidence.mutation.made:
        return Grade.CHECKED, f"the new tests pass, and notice {_noticed(evidence.mutation)}"
    if grounds.kept:
        return Grade.CHECKED, "the tests passed before the work and pass after it, and nothing public is gone"
    if grounds.given:
        return Grade.UNCHECKED, "the user's tests did not fail before the work, so they prove nothing about it"
    return Grade.UNCHECKED, "no test failed before the work, so passing ones prove nothing about it"


def _of_command(evidence: Evidence, grounds: Grounds) -> tuple[Grade, str]:
    said = "the user's command failed before the work and passes after it"
    if grounds.touched:
        return Grade.UNCHECKED, f"{said}, but only with tests that the work changed"
    if evidence.controls_held:
        return Grade.PROVEN, f"{said}, and so do the project's tests"
    # Code that ends the process with 0 passes every command.
    return Grade.CHECKED, f"{said}; a command carries no controls of ours"


def _of_ours(evidence: Evidence) -> tuple[Grade, str]:
    score = evidence.mutation
    if score is not None and not notices(score):
        return Grade.UNCHECKED, f"the test specialist's tests notice only {_noticed(score)}"
    return Grade.CHECKED, "the test specialist's tests failed before the work and pass after it"


def _noticed(score: MutationScore) -> str:
    return f"{score.killed} of {score.made} wrong changes of the code"
