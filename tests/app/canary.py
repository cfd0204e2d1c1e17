"""Fake keys that are planted, and the search for what leaks of them."""

import base64
import json
import urllib.parse
from pathlib import Path

import pygit2

WINDOW = 8
"""So many characters of a key in a row are a leak."""

SET = "sk-fake-Env1ronment+Canary/9f3b7a51c6d2e8"
KEPT = "sk-fake-K3ptInTheStore+Canary/70b4c1d9a2f6"
ANOTHER = "sk-fake-An0therOne+Canary/5e8d3c7b1a9f42"
CANARIES = (SET, KEPT, ANOTHER)


def traces(secret: str) -> list[str]:
    """What shows that a secret was there, in whole or in part, by encodings of our own making."""
    found = [secret[start : start + WINDOW] for start in range(len(secret) - WINDOW + 1)]
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            # Without the groups of four that a neighbour has a part in.
            letters = encode(b"x" * before + secret.encode()).decode()[4:-4]
            found += [letters[start : start + 2 * WINDOW] for start in range(0, len(letters) - 2 * WINDOW, 4)]
    found += [urllib.parse.quote(secret, safe=""), json.dumps(secret)[1:-1]]
    # The beginning is no secret: every canary and every real key has it.
    return [trace for trace in found if trace not in "sk-fake-"]


def leaks(text: str | bytes) -> list[str]:
    """The traces of any canary in a text."""
    shown = text.decode("latin-1") if isinstance(text, bytes) else text
    return [trace for canary in CANARIES for trace in traces(canary) if trace in shown]


def leaks_on_disk(folder: Path) -> dict[str, list[str]]:
    """Every file below a folder with traces of a canary, and every object of a git repository there."""
    found = {str(path): leaks(path.read_bytes()) for path in folder.rglob("*") if path.is_file()}
    for head in folder.rglob("HEAD"):
        repository = pygit2.Repository(str(head.parent))
        found |= {f"{head.parent}:{oid}": leaks(repository[oid].read_raw()) for oid in repository}
    return {name: traces for name, traces in found.items() if traces}
