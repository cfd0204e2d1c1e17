"""What sort of work a request asks for, told by its words.

English only: what it cannot tell it says so, and a planning model is asked.
"""

import re

from domain.base import Value
from domain.task_kind import TaskKind

READ_CHARACTERS = 8_000
"""A request says what it wants at its beginning; what follows is material."""

FENCE = re.compile(r"^(```|~~~).*?(?:^\1|\Z)", re.MULTILINE | re.DOTALL)
SENTENCE = re.compile(r"(?<=[.!?:;])\s+|\n+")
COURTESY = re.compile(
    r"^(?:[-*#>\d.)\s]+|please\b|kindly\b|hi\b|hello\b|hey\b|then\b|also\b|now\b|so\b|and\b|first\b|next\b|finally\b"
    r"|(?:can|could|would|will) you\b|i (?:want|need) (?:you )?to\b|i(?:'d| would) like (?:you )?to\b|let'?s\b|let us\b"
    r"|help me(?: to)?\b|we (?:need|want) to\b|you (?:should|must|have to)\b|[,\s]+)+",
    re.IGNORECASE,
)
ASKING = re.compile(
    r"(?:what|why|how|where|which|who|when|whose|is|are|was|were|does|do|did|has|have|should|explain|describe|"
    r"summari[sz]e|tell me|compare)\b",
    re.IGNORECASE,
)
TESTS = re.compile(
    r"(?:\w+\s+){0,2}?(?:(?:more|some|missing|unit|integration|regression|pytest|better|the|further|new)\s+)*"
    r"(?:tests?|test cases|test suite|test coverage|coverage)\b"
    r"(?!\s+(?:script|framework|runner|harness|tool|data|server))",
    re.IGNORECASE,
)
OLD_CODE = re.compile(r"\b(?:for|to|of|covering|that cover)\b", re.IGNORECASE)
WEB = re.compile(
    r"\b(?:web\s?(?:app|application|site|page|server|service|ui|interface)|website|landing page|rest(?:ful)? api|"
    r"http (?:api|server|service|endpoint)|api endpoints?|flask|fastapi|django|starlette|express(?:\.js)?|html page)\b",
    re.IGNORECASE,
)
SCRAPING = re.compile(r"\b(?:scrap(?:e|er|es|ing)|crawl(?:er|s|ing)?|web spider)\b", re.IGNORECASE)
COMPLAINT = re.compile(
    r"traceback \(most recent|\b(?:\w+error|exception)\b|\bbug(?:s|gy)?\b|\bbroken\b|\bcrash(?:es|ed)?\b"
    r"|\bfail(?:s|ed|ing)?\b|\b(?:does|do|did|is|are)(?:n'?t| not) (?:work|return|handle|accept|raise|match|correct)"
    r"|\bregression\b|\bwrong(?:ly)?\b|\bincorrect(?:ly)?\b"
    r"|\bshould (?:return|raise|be|give|print)\b.*\b(?:but|instead)\b|\binstead of\b",
    re.IGNORECASE | re.DOTALL,
)
VERBS = {
    TaskKind.FIX: "fix repair debug mend correct resolve patch",
    TaskKind.REFACTOR: "refactor restructure simplify reorganize reorganise deduplicate rename inline modularize clean",
    TaskKind.SCRAPE: "scrape crawl",
    TaskKind.NEW_CODE: (
        "write create implement add build make develop generate design provide code program port convert extend "
        "support introduce define complete produce set allow change update improve optimize optimise test cover"
    ),
}
KIND_OF_VERB = {verb: kind for kind, verbs in VERBS.items() for verb in verbs.split()}


class Guess(Value):
    """A kind, and whether the words leave no doubt about it."""

    kind: TaskKind
    sure: bool = True


def guess_kind(prompt: str, has_files: bool) -> Guess:
    """The kind of work; ``has_files`` says whether there is code already."""
    text = FENCE.sub("\n", prompt[:READ_CHARACTERS])
    sentences = [_bare(sentence) for sentence in SENTENCE.split(text)]
    wanted = next((sentence for sentence in sentences if _verb(sentence) in KIND_OF_VERB), None)
    if wanted is None:
        return _without_verb(text, sentences, has_files)
    return _of_imperative(wanted, text, has_files)


def _bare(sentence: str) -> str:
    return COURTESY.sub("", sentence.strip())


def _verb(sentence: str) -> str:
    return sentence.split(maxsplit=1)[0].lower().strip(",.:;!?") if sentence.split(maxsplit=1) else ""


def _without_verb(text: str, sentences: list[str], has_files: bool) -> Guess:
    first = next(filter(None, sentences), "")
    if ASKING.match(first) and not (has_files and COMPLAINT.search(text)):
        return Guess(kind=TaskKind.QUESTION, sure=first.endswith("?") or not has_files)
    if has_files and COMPLAINT.search(text):
        return Guess(kind=TaskKind.FIX)
    return Guess(kind=TaskKind.NEW_CODE, sure=False)


def _of_imperative(sentence: str, text: str, has_files: bool) -> Guess:
    verb, _, rest = sentence.partition(" ")
    kind = KIND_OF_VERB[_verb(sentence)]
    if kind in {TaskKind.FIX, TaskKind.REFACTOR}:
        # Without code there is nothing to mend: what the request shows is written anew.
        return Guess(kind=kind) if has_files else Guess(kind=TaskKind.NEW_CODE, sure=False)
    about_tests = TESTS.match(rest) or verb.lower() in {"test", "cover"}
    if has_files and about_tests and (OLD_CODE.search(rest) or not WEB.search(rest)):
        return Guess(kind=TaskKind.ADD_TESTS)
    if kind is TaskKind.SCRAPE or SCRAPING.search(sentence):
        return Guess(kind=TaskKind.SCRAPE)
    if not has_files and WEB.search(sentence):
        return Guess(kind=TaskKind.WEB_APP)
    return Guess(kind=TaskKind.NEW_CODE, sure=not (has_files and COMPLAINT.search(text)))
