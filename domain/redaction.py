"""Taking secrets out of texts that leave the gateway: prompts, and what errors say."""

import base64
import json
import re
import urllib.parse
from collections.abc import Iterable
from typing import Any

from pydantic import SecretStr

from domain.chat import ModelRequest
from domain.secrets import SHORTEST_SECRET

MARK = "[key]"


class Redactor:
    """Puts ``[key]`` in the place of every secret: as it is, in base64, URL-encoded, or escaped for JSON.

    A secret of fewer than 8 characters is left alone. A text without secrets costs one search for each form.
    """

    def __init__(self, secrets: Iterable[SecretStr]) -> None:
        texts = {secret.get_secret_value() for secret in secrets}
        forms = {form for text in texts if len(text) >= SHORTEST_SECRET for form in _forms(text)}
        self._forms = sorted(forms, key=lambda form: (-len(form), form))

    def text(self, text: str) -> str:
        """The text without the secrets."""
        while found := [form for form in self._forms if form in text]:
            # What stands around a removed secret may, with the mark, spell another one: hence again.
            for form in found:
                text = text.replace(form, MARK)
        return text

    def request(self, request: ModelRequest) -> ModelRequest:
        """A request whose texts hold no secret; the same object when they held none."""
        after = self._clean(before := request.model_dump())
        return request if after == before else ModelRequest.model_validate(after)

    def _clean(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {self._clean(name): self._clean(item) for name, item in value.items()}
        if type(value) in {list, tuple}:
            return type(value)(map(self._clean, value))
        return self.text(value) if isinstance(value, str) else value

    def error(self, error: BaseException | None) -> None:
        """Takes the secrets out of an exception and of all that it came from, so that no traceback shows them."""
        seen: list[BaseException] = []
        while error is not None and error not in seen:
            seen.append(error)
            error.args = self._clean(error.args)
            vars(error).update(self._clean(vars(error)))
            error = error.__cause__ or error.__context__


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
