"""Searching the documents of a project.

The ranking is BM25: S. Robertson, H. Zaragoza: The Probabilistic Relevance Framework: BM25 and Beyond. 2009.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from domain.files import FileTree
from mcp_server.context.documents import Section, documents, read_text, sections

MOST_DOCUMENTS = 500
MOST_BYTES = 4 * 1024 * 1024
"""Of all documents together; what is further from the top is left out."""

SATURATION, LENGTH = 1.2, 0.75
HEADING_WEIGHT = 3
WORD = re.compile(r"\w+")
PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
MOST_TERMS = 30


class DocSearch(NamedTuple):
    """The best sections, the best first; how many documents were looked at, and whether those are all."""

    found: tuple[Section, ...]
    documents: int
    complete: bool


class _Entry(NamedTuple):
    section: Section
    terms: Counter[str]
    length: int


def search_documents(files: FileTree, query: str, most: int) -> DocSearch:
    """The sections that hold most of a query's words, the rare ones counting most. Equal trees give equal answers."""
    paths = documents(files)
    entries: list[_Entry] = []
    left, looked_at = MOST_BYTES, 0
    wanted = dict.fromkeys(list(_terms(query))[:MOST_TERMS])
    for path in paths[:MOST_DOCUMENTS]:
        text = read_text(files[path])
        if left <= 0:
            break
        looked_at += 1
        if text is not None:
            left -= len(text)
            entries += [_entry(section, wanted) for section in sections(path, text)]
    scores = _scores(entries, list(wanted))
    best = sorted((-score, at) for at, score in enumerate(scores) if score > 0)[:most]
    return DocSearch(tuple(entries[at].section for _, at in best), looked_at, looked_at == len(paths))


def _entry(section: Section, wanted: dict[str, None]) -> _Entry:
    """A section with how often it holds the terms that are wanted; in its heading and path they count more."""
    body = Counter(_terms(section.text))
    terms = Counter({term: body[term] for term in wanted if term in body})
    for term in _terms(f"{section.heading} {section.path}"):
        if term in wanted:
            terms[term] += HEADING_WEIGHT
    return _Entry(section, terms, body.total())


def _scores(entries: list[_Entry], wanted: list[str]) -> list[float]:
    mean = sum(entry.length for entry in entries) / len(entries) if entries else 1.0
    holders = Counter(term for entry in entries for term in entry.terms)
    scores = []
    for entry in entries:
        damping = SATURATION * (1 - LENGTH + LENGTH * entry.length / max(mean, 1.0))
        score = 0.0
        for term in wanted:
            if often := entry.terms[term]:
                rarity = math.log(1 + (len(entries) - holders[term] + 0.5) / (holders[term] + 0.5))
                score += rarity * often * (SATURATION + 1) / (often + damping)
        scores.append(score)
    return scores


def _terms(text: str) -> Iterator[str]:
    """The words in lower case without a plural's end, and the parts of those that are put together."""
    for word in WORD.findall(text):
        yield _stem(word.lower())
        if not word.islower() or "_" in word:
            parts = PART.findall(word)
            if len(parts) > 1:
                yield from (_stem(part.lower()) for part in parts)


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
