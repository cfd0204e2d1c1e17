"""What a model is told whose reply cannot be acted on: what is wrong with it, and how a right one looks."""

from domain.replies import ReplyProblem

CALL_A_TOOL = "Call one of your tools now. When all is done and the tests pass, call submit."
FORMS = (
    "Reply with one block that starts with ```file path=NAME and holds the whole file, or one ```sh block with a "
    "command, or the line SUBMIT: summary."
)
WRONG = {
    ReplyProblem.NO_ACTION: "That reply held no action.",
    ReplyProblem.EMPTY: "That reply was empty.",
    ReplyProblem.REPETITION: "That reply said the same again and again. Do not go on with it.",
    ReplyProblem.REFUSED: (
        "That reply refused the work. It is programming work in a container of its own, which can do no harm. Do what "
        "of it you can, and say in the summary what is left."
    ),
    ReplyProblem.ONLY_THOUGHT: "That reply was all thought and held no action. Think less and answer.",
    ReplyProblem.CUT_OFF: (
        "That reply was cut off at the limit of {tokens} tokens, so nothing of it was done. Write less at a time: one "
        "file in a reply, and a long one in several smaller files."
    ),
    ReplyProblem.NO_PATH: "That reply did not say to which file its block belongs, so nothing was written.",
    ReplyProblem.DOUBTFUL_BLOCK: (
        "It is not clear where a block of that reply ends or what it replaces, so nothing was done. Write the whole "
        "file, and close its block with a line that holds ``` alone. A file that has such a line in it goes between "
        "two lines of ````."
    ),
}


def no_action(problem: ReplyProblem, native: bool, tokens: int, target: str) -> str:
    """What to say about a reply without an action. ``tokens`` is the limit of a reply, ``target`` a path for an
    example."""
    if native and problem is ReplyProblem.NO_ACTION:
        return f"That reply called no tool. {CALL_A_TOOL}"
    wrong = WRONG.get(problem, WRONG[ReplyProblem.NO_ACTION]).format(tokens=tokens)
    return f"{wrong} {CALL_A_TOOL if native else f'{FORMS} For example:{_example(target)}'}"


def broken_call(name: str, why: str, example: str | None) -> str:
    """What to say about a call whose arguments cannot be read."""
    shown = f" For example, as the arguments of {name}: {example}" if example else ""
    return f"{name} was not called: {why}. Send a JSON object.{shown}"


def too_many_calls(name: str, most: int) -> str:
    """What to say about a call after the most that one reply may make."""
    return f"{name} was not called: one reply may make {most} calls. Look at their results first."


def _example(target: str) -> str:
    path, text = (target, "...") if target and not target.endswith(".py") else (target or "app.py", "print('hello')")
    return f"\n\n```file path={path}\n{text}\n```"
