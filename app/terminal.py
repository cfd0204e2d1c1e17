"""Asking the person at the terminal."""

import asyncio
import os
import sys
from collections.abc import Mapping

ANSWERS = {"y": "yes", "yes": "yes", "n": "no", "no": "no"}
PERSON = "the person at the terminal"
REFUSED = f"{PERSON} refused"


async def yes_or_no(question: str) -> bool:
    """The person's answer; an end of the input is a no."""
    return await choice(question, ANSWERS, "no") == "yes"


async def choice(question: str, answers: Mapping[str, str], at_end: str) -> str:
    """What the person's answer stands for, once it is one of ``answers``; ``at_end`` where the input ends."""
    while True:
        print(question, end="", flush=True)
        line = await _line()
        if not line:
            return at_end
        if (said := line.strip().lower()) in answers:
            return answers[said]


async def _line() -> str:
    """A line of the terminal. A thread that read it could not be ended."""
    loop, source, ready = asyncio.get_running_loop(), sys.stdin.fileno(), asyncio.Event()
    loop.add_reader(source, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(source)
    return os.read(source, 4096).decode(errors="replace")
