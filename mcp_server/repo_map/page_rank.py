"""Personalised PageRank by power iteration.

L. Page, S. Brin, R. Motwani, T. Winograd: The PageRank Citation Ranking: Bringing Order to the Web. 1999, section 6.
"""

from collections.abc import Mapping, Sequence

DAMPING = 0.85
ROUNDS = 12
"""A fixed number, so that equal graphs get equal ranks. Sixty rounds found the same first 200 symbols in
the trees that were tried, of 150,000 to 500,000 lines."""


def page_rank(links: Sequence[Mapping[int, float]], base: Sequence[float]) -> list[float]:
    """How likely a walker is at each place, who follows ``links`` and now and then begins anew at a place by ``base``.

    A link's weight is the share of the walkers who take it; the shares of a place are at most 1 together, and whoever
    takes none of its links begins anew, too. The base is 1 in all.
    """
    rank = list(base)
    for _ in range(ROUNDS):
        moved = [0.0] * len(rank)
        for here, row in zip(rank, links, strict=True):
            moving = DAMPING * here
            for place, share in row.items():
                moved[place] += moving * share
        restart = 1 - sum(moved)
        rank = [each + restart * start for each, start in zip(moved, base, strict=True)]
    return rank
