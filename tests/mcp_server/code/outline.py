"""Samples of every language, and how their symbols are written down beside them."""

from collections.abc import Iterable
from pathlib import Path

from mcp_server.code.languages import language_of
from mcp_server.code.symbol import Symbol

SAMPLES = {
    language.name: path
    for path in sorted(Path(__file__).with_name("samples").iterdir())
    if (language := language_of(path.name)) is not None
}


def outline(symbols: Iterable[Symbol]) -> str:
    """One line for each symbol: its lines, its kind, its name, its signature."""
    depths: list[int] = []
    lines = []
    for symbol in symbols:
        depths.append(0 if symbol.parent is None else depths[symbol.parent] + 1)
        where = f"{symbol.start_line}-{symbol.end_line}"
        lines.append(f"{where:>6} {'  ' * depths[-1]}{symbol.kind} {symbol.name} | {symbol.signature}\n")
    return "".join(lines)


def expected(sample: Path) -> str:
    """What stands beside a sample."""
    return sample.with_name(f"{sample.name}.outline").read_text(encoding="utf-8")
