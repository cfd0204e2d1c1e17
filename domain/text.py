"""Text from models and sandboxes, made harmless."""

import re
import urllib.parse

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


def both_ends(text: str, most: int) -> str:
    """The text on one line: its beginning and end, with the number of characters left out between them."""
    return " ".join(excerpt(" ".join(plain(text).split()), most).split())


def well_formed(text: str) -> str:
    """The text with its surrogate pairs joined, and lone surrogates replaced, so that it can be encoded."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def public_url(url: str) -> str:
    """A URL without user name, password, query and fragment, to be shown."""
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
