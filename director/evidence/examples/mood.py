"""Whether a text says how things should be, or how they are and should not be."""

import re

WRONG = re.compile(
    r"\b(?:current(?:ly)?|at the moment|at present|right now|instead|rather than|used to|wrong(?:ly)?|incorrect(?:ly)?|"
    r"bugs?|buggy|broken|mistaken(?:ly)?|actual(?:ly)?|observed|unexpected(?:ly)?|"
    r"(?:i|we|you|it|but|and) (?:now )?(?:got|gets?|see|saw)|"
    r"but (?:it |we |i )?(?:now )?(?:returns?|gives?|is|was|yields?|raises?|throws?|prints?))\b|"
    r"\b(?:it|this|that|which|but|result|answer)\b[^.\n]{0,60}\b(?:should|must|ought to) (?:have )?"
    r"(?:be(?:en)?|return(?:ed)?|give|equal|yield|print)(?:ed)? (?:[`\"'\d\[{(-]|(?:true|false|none|null|nil)\b)",
    re.IGNORECASE,
)
"""What makes a whole paragraph say how things are and should not be."""

DENIED = re.compile(
    r"\b(?:not|never|cannot|avoid|without|unlike|except|old|previous(?:ly)?|before|was|were|would|fails?|if|unless|"
    r"suppose|assume|perhaps|maybe|might)\b|n['’]t\b|!=|≠|<>|\?",
    re.IGNORECASE,
)
"""What makes a single line doubtful."""

LOOKS_BACK = re.compile(r"\W*(?:this|that|these|those|it|both|but|instead|which|all of)\b", re.IGNORECASE)
DENYING_LEAD = re.compile(r"\b(?:not|never|avoid|fails?|old|previous(?:ly)?)\b|n['’]t\b", re.IGNORECASE)
CODE = re.compile(
    r"\s*(?:async|case|class|def|do|elif|else|except|finally|for|func|function|if|switch|try|while|with)\b"
)
HEADING = re.compile(r"\s*(?:#{1,6}\s|\*\*[^*]+\*\*:?\s*$)")


def is_lead(line: str) -> bool:
    """Whether a line speaks of what comes after it, past blank lines: a heading, or one that ends in a colon."""
    return bool(HEADING.match(line)) or (line.rstrip().rstrip("*_").endswith(":") and not CODE.match(line))


def leads_to_wrong(line: str) -> bool:
    """Whether what comes after a lead is told as something that should not be."""
    return bool(WRONG.search(line) or DENYING_LEAD.search(line))


def says_wrong(text: str) -> bool:
    """Whether a paragraph or a lead tells of something that is wrong."""
    return bool(WRONG.search(text))


def doubtful(line: str) -> bool:
    """Whether a line denies something, or asks, or supposes it."""
    return bool(DENIED.search(line) or WRONG.search(line))


def takes_back(line: str) -> bool:
    """Whether a line says of what stands before it that it is wrong."""
    return bool(LOOKS_BACK.match(line)) and (says_wrong(line) or bool(DENIED.search(line)))
