"""Taking secrets out of texts that leave the gateway: prompts, and what errors say."""

import base64
import json
import operator
import re
import urllib.parse
from collections import deque
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import SecretStr

from domain.base import Value
from domain.chat import Message, ModelRequest, ToolSchema, UserMessage
from domain.secrets import SHORTEST_SECRET

MARK = "[key]"

REMEMBERED = 512
LONGEST_REMEMBERED = 65_536
"""How many messages are remembered, and how many characters such a one has at most."""

TOOLBOXES = 16
"""Of how many specialists at a time the tools are remembered."""

T = TypeVar("T", bound=Value)
Tools = tuple[ToolSchema, ...]


class Redactor:
    """Puts ``[key]`` in the place of every secret: as it is, in base64, URL-encoded, or escaped for JSON.

    A secret of fewer than 8 characters is left alone. A text without secrets costs one search for each form.
    """

    def __init__(self, secrets: Iterable[SecretStr]) -> None:
        texts = {secret.get_secret_value() for secret in secrets}
        forms = {form for text in texts if len(text) >= SHORTEST_SECRET for form in _forms(text)}
        self._forms = sorted(forms, key=lambda form: (-len(form), form))
        self._message = lru_cache(REMEMBERED)(self._value)
        self._tools: deque[tuple[Tools, Tools]] = deque(maxlen=TOOLBOXES)

    def text(self, text: str) -> str:
        """The text without the secrets."""
        while found := [form for form in self._forms if form in text]:
            # What stands around a removed secret may, with the mark, spell another one: hence again.
            for form in found:
                text = text.replace(form, MARK)
        return text

    def request(self, request: ModelRequest) -> ModelRequest:
        """A request whose texts hold no secret; the same object when they held none.

        A conversation is sent anew with each of its messages, so what was said before is not searched again.
        """
        cleaned = {
            "model": self.text(request.model),
            "messages": tuple(map(self._cleaned_message, request.messages)),
            "tools": self._cleaned_tools(request.tools) if request.tools else (),
            "json_schema": self._clean(request.json_schema),
        }
        changed = {name: value for name, value in cleaned.items() if value != getattr(request, name)}
        return request.model_copy(update=changed) if changed else request

    def _cleaned_message(self, message: Message) -> Message:
        long = len(message.content) > LONGEST_REMEMBERED or (isinstance(message, UserMessage) and message.images)
        return self._value(message) if long else self._message(message)

    def _cleaned_tools(self, tools: Tools) -> Tools:
        """The tools, which are the same objects in all requests of a specialist."""
        for before, after in self._tools:
            if len(before) == len(tools) and all(map(operator.is_, before, tools)):
                return after
        cleaned = tuple(map(self._value, tools))
        self._tools.append((tools, cleaned))
        return cleaned

    def _value(self, value: T) -> T:
        after = self._clean(before := value.model_dump())
        return value if after == before else type(value).model_validate(after)

    def _clean(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {self._clean(name): self._clean(item) for name, item in value.items()}
        if type(value) in {list, tuple}:
            return type(value)(map(self._clean, value))
        return self.text(value) if isinstance(value, str) else value

    def error(self, error: BaseException | None) -> None:
        """Takes the secrets out of an exception, the members of a group, and all that they came from, so that no
        traceback shows them."""
        waiting: list[BaseException | None] = [error]
        seen: set[int] = set()
        while waiting:
            one = waiting.pop()
            if one is None or id(one) in seen:
                continue
            seen.add(id(one))
            one.args = self._clean(one.args)
            vars(one).update(self._clean(vars(one)))
            waiting += [one.__cause__, one.__context__]
            waiting += one.exceptions if isinstance(one, BaseExceptionGroup) else ()


def _forms(secret: str) -> set[str]:
    raw = secret.encode()
    quoted = {urllib.parse.quote(raw, safe=""), urllib.parse.quote(raw), urllib.parse.quote_plus(raw)}
    quoted |= {re.sub("%..", lambda code: code[0].lower(), form) for form in quoted}
    escaped = {json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
    escaped |= {form.replace("/", "\\/") for form in escaped}
    # In base64 the characters in which no neighbour has a part, when so many bytes stand before, in both alphabets.
    spans = [(bytes(before) + raw, -(-4 * before // 3), 4 * (before + len(raw)) // 3) for before in range(3)]
    encoded = {base64.b64encode(text).decode()[first:last] for text, first, last in spans}
    encoded |= {form.translate({ord("+"): "-", ord("/"): "_"}) for form in encoded}
    return {secret} | quoted | escaped | encoded
