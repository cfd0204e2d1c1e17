"""Whether a request is done with when one module passes its tests."""

import re

from director.planning.kinds import FENCE
from director.planning.signatures import DEFINITION

MORE = re.compile(
    r"\b(?:cli|command[- ]?line|apps?|application|web|website|server|service|api|endpoints?|readme|docs|documentation"
    r"|scripts?|packages?|project|modules|files|folders?|directory|database|config\w*|docker\w*|makefile|workflow"
    r"|pipeline|install|commit|refactor|main)\b|__main__",
    re.IGNORECASE,
)


def wants_one_module(prompt: str) -> bool:
    """False where the request speaks of what may be more than a module: conservative, by its words.

    What it shows in fences does not count, nor anything from the first definition on.
    """
    text = FENCE.sub("\n", prompt)
    definition = DEFINITION.search(text)
    return MORE.search(text[: definition.start()] if definition else text) is None
