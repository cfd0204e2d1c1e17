"""Text from models and sandboxes, made harmless."""

import re

ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC, DCS, SOS, PM, APC: titles, links, clipboard
    r"|\x1b[ -/]*[0-~]?"  # other escapes
)
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(text: str) -> str:
    """The text without terminal escapes, control characters (but tab and newline), bidi overrides and surrogates."""
    return CONTROLS.sub("", ESCAPES.sub("", text.replace("\r\n", "\n")))


def excerpt(text: str, most: int) -> str:
    """The text's beginning and end, with the number of characters left out between them, at most about ``most``."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[len(text) - half :]}"


def one_line(text: str, most: int = 120) -> str:
    """The text on one line, cut at ``most`` characters."""
    flat = " ".join(plain(text).split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"
