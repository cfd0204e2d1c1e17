"""Thoughts that a model writes between tags at the beginning of its answer, where its server leaves them there."""

OPENING = "<think>"
CLOSING = "</think>"


class Thinking:
    """Parts the pieces of an answer from the thoughts at its beginning. What could be half a tag is held back."""

    def __init__(self) -> None:
        self._held = ""
        self._awaited = OPENING
        self._trims = False

    def part(self, piece: str) -> tuple[str, str]:
        """What of the text so far is answer and what is thought."""
        text = self._held + piece
        self._held = ""
        if self._awaited == OPENING:
            begun = text.lstrip()
            if len(begun) < len(OPENING) and OPENING.startswith(begun):
                self._held = text
                return "", ""
            self._awaited, text = (CLOSING, begun[len(OPENING) :]) if begun.startswith(OPENING) else ("", text)
        thought = ""
        if self._awaited and CLOSING in text:
            self._awaited, self._trims = "", True
            thought, _, text = text.partition(CLOSING)
        if not self._awaited:
            text = text.lstrip() if self._trims else text
            self._trims = self._trims and not text
            return text, thought
        held = next(size for size in range(len(CLOSING) - 1, -1, -1) if text.endswith(CLOSING[:size]))
        self._held = text[len(text) - held :]
        return "", text[: len(text) - held]

    def rest(self) -> tuple[str, str]:
        """What was held back when the answer ended, as answer and as thought."""
        return ("", self._held) if self._awaited == CLOSING else (self._held, "")
