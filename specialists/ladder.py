"""What a specialist is told that makes no progress: what repeats, and what to try."""

from collections.abc import Sequence

from domain.test_outcome import TestOutcome
from specialists.standing import HandsOver, Tried
from specialists.stuck import Circle, Stuck

SHOWN_TESTS = 5
SHOWN_PATHS = 20


def what_repeats(stuck: Stuck) -> str:
    """The circle in words, for the model and for people."""
    calls = " and ".join(stuck.calls)
    match stuck.circle:
        case Circle.SAME_RESULT:
            return f"{calls} was called {stuck.times} times on the same files and showed the same each time"
        case Circle.SAME_ERROR:
            return f"{calls} failed {stuck.times} times on the same files, and in the same way"
        case Circle.ALTERNATING:
            return f"the last {stuck.times} steps went to and fro between {calls}, and left the files as they were"
        case Circle.IDLE:
            return f"for {stuck.times} steps neither the files nor the results of the tests changed"


def nudge(stuck: Stuck, tests: TestOutcome | None, hands_over: HandsOver) -> str:
    """The first word about it."""
    return f"You make no progress: {what_repeats(stuck)}. {_instead(stuck)}{_next(tests, hands_over)}"


def rolled_back(stuck: Stuck, to: Tried, undone: Sequence[str]) -> str:
    """What is said when the files went back to the best snapshot."""
    paths = ", ".join(undone[:SHOWN_PATHS]) + (" ..." if len(undone) > SHOWN_PATHS else "")
    return (
        f"You still make no progress: {what_repeats(stuck)}. So the files are now again as they were when the tests "
        f"showed most: {to.tests}. Undone since then: {paths}. Do not do the same once more: choose another way. "
        f"{_next(to.tests, HandsOver.CODE)}"
    )


def not_yet(now: TestOutcome, best: Tried) -> str:
    """What is said when work is submitted that is worse than the best snapshot."""
    lost = [test for test in now.failing if test not in best.tests.failing]
    which = f" These fail now and did not then: {', '.join(lost[:SHOWN_TESTS])}." if lost else ""
    return (
        f"It is not handed in yet: of the files as they are now {now}, and before it was better: {best.tests}.{which} "
        "Mend that. If the files are right as they are, submit again."
    )


def _instead(stuck: Stuck) -> str:
    match stuck.circle:
        case Circle.SAME_ERROR:
            return "Read its last error, and use other arguments or another tool. "
        case Circle.SAME_RESULT | Circle.ALTERNATING:
            return "It will not show anything else. "
        case Circle.IDLE:
            return ""


def _next(tests: TestOutcome | None, hands_over: HandsOver) -> str:
    if hands_over is HandsOver.FINDINGS:
        return "Report what you have found so far, then submit."
    if tests is None:
        return "Change a file, or run the tests to see where the work stands."
    if tests.failing and hands_over is HandsOver.CODE:
        failing = ", ".join(tests.failing[:SHOWN_TESTS])
        return f"Still failing: {failing}. Read one of these tests and the code that it calls, then change the code."
    if tests.errors:
        return "The tests cannot run: read the first error that run_tests shows, and mend the file that it names."
    return "If the goal is reached, submit. Otherwise change a file."
