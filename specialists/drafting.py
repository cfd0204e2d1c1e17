"""Drafts: a whole file in one plain reply each, before any step with tools, and the tests choose.

Where the tests are there and one file is wanted, that is the cheapest way to it. Models that are too small for tools
write short functions all the same, most of all when they may try several times.
"""

import re

from domain.chat import FinishReason, Message, ModelRequest, UserMessage
from domain.money import NanoUsd
from domain.test_outcome import TestOutcome
from domain.text import excerpt
from gateway.base import Completion
from specialists.draft_terms import DraftTerms
from specialists.reading.module_code import module_in

PRICED = 3
MOST_COST = NanoUsd(1_000_000)
"""A thousandth of a dollar: what the drafts of a priced model may cost together, but for the first."""

MOST_S = 90.0
TEMPERATURES = (0.2, 0.6, 0.8)
LEAST_OUTPUT = 512
FRUITLESS = 3
"""After so many replies in a row without the file, or one that calls tools all the same, no more are asked for."""
SHOWN_CHARACTERS = 3_000
NAME = re.compile(r"(?:async )?(?:def|class) (\w+)")


class Drafting:
    """Asks for drafts of one file. The first is asked for as any other reply is; those after it stray further."""

    def __init__(self, terms: DraftTerms, request: ModelRequest) -> None:
        self._terms = terms
        self._request = request
        self._names = frozenset(found[1] for one in terms.signatures if (found := NAME.match(one)))
        self._output_tokens = request.max_output_tokens
        self._seen: set[str] = {terms.present}
        self._cost, self._free = 0, True
        self._fruitless = 0
        self.made = 0

    @property
    def fruitful(self) -> bool:
        """Whether some reply held a file."""
        return len(self._seen) > 1

    def may_go_on(self) -> bool:
        """Whether another draft is worth what those before it cost."""
        if not self.made:
            return True
        if self._fruitless >= FRUITLESS:
            return False
        most = self._terms.most if self._free else min(PRICED, MOST_COST * self.made // max(1, self._cost))
        return self.made < most

    def request(self) -> ModelRequest:
        """What to ask for next."""
        messages: tuple[Message, ...] = (UserMessage(content=self._asked()),)
        stray = TEMPERATURES[(self.made - 1) % len(TEMPERATURES)] if self.made else self._request.temperature
        self.made += 1
        return self._request.model_copy(
            update={
                "messages": messages, "tools": (), "temperature": stray, "max_output_tokens": self._output_tokens,
            }
        )  # fmt: skip

    def _asked(self) -> str:
        """The question in two forms by turns, since one may suit a model better than the other."""
        first = self.made % 2 == 0
        asked = self._terms.request
        if not all(name in asked for name in self._names):
            asked += "\n\nIt defines:\n" + "\n".join(self._terms.signatures)
        if first and self._terms.failure:
            asked += f"\n\nThis is wrong:\n```python\n{self._terms.present}\n```\n{self._terms.failure}"
        if first:
            asked += f"\n\nReply with the complete file {self._terms.path} in one ```python block."
        return asked

    def read(self, completion: Completion) -> str | None:
        """The file in a reply; None where there is none, or where the same was tried before."""
        self._cost += completion.cost
        self._free = self._free and completion.priced and not completion.cost
        reply = completion.reply
        content = module_in(reply.message.content, self._names, self._terms.request)
        self._fruitless = 0 if content is not None else FRUITLESS if reply.message.tool_calls else self._fruitless + 1
        if reply.finish_reason is FinishReason.LENGTH:
            # Who rambles once does so again.
            self._output_tokens = max(LEAST_OUTPUT, self._output_tokens // 4)
        if content is None or content in self._seen:
            return None
        self._seen.add(content)
        return content


def all_passed(tests: TestOutcome | None) -> bool:
    """Whether every test ran and passed."""
    return tests is not None and 0 < tests.collected == tests.passed and not tests.errors


def what_is_left(path: str, tests: TestOutcome, shown: str) -> str:
    """What the specialist is told that works on from the best draft."""
    told = f"A draft of {path} is there already: {tests}. Read it, and mend what is wrong."
    return f"{told}\n{excerpt(shown, SHOWN_CHARACTERS)}"
