"""The public surface: what is lost, and what only moved or was private."""

import pytest

from director.evidence.surface import lost_names
from mcp_server.parsers.parsers import Parsers
from tests.director.evidence.court import as_tree

BEFORE = {
    "shop.py": "class Shop:\n    def price(self): ...\n    def _secret(self): ...\n\n\n"
    "def total():\n    def inner(): ...\n\n\ndef _own(): ...\n",
    "tests/test_shop.py": "def test_it(): ...\n",
    "calc.go": "package calc\n\nfunc Add() {}\n",
}
SHOP, CALC = BEFORE["shop.py"], BEFORE["calc.go"]
CASES = {
    "nothing": ({}, ()),
    "private ones go": ({"shop.py": SHOP.replace("_own", "_mine").replace("_secret", "_s").replace("inner", "x")}, ()),
    "a method goes": ({"shop.py": SHOP.replace("price", "cost")}, ("shop.py: Shop.price",)),
    "a function goes": ({"shop.py": SHOP.replace("total", "sum_up")}, ("shop.py: total",)),
    "a function moves and is imported": (
        {"shop.py": SHOP.replace("def total():\n    def inner(): ...\n", "from sums import total\n"), "sums.py": ""},
        (),
    ),
    "the file goes": ({"shop.py": None}, ("shop.py: Shop", "shop.py: Shop.price", "shop.py: total")),
    "the file becomes a package": ({"shop.py": None, "shop/__init__.py": SHOP}, ()),
    "a test goes": ({"tests/test_shop.py": None}, ()),
    "a function of Go goes": ({"calc.go": CALC.replace("Add", "Sum")}, ("calc.go: Add",)),
}  # fmt: skip


@pytest.mark.parametrize(("change", "lost"), CASES.values(), ids=CASES)
async def test_public_names_that_are_gone_are_told(change: dict[str, str | None], lost: tuple[str, ...]) -> None:
    after = {path: text for path, text in (BEFORE | change).items() if text is not None}
    async with Parsers() as parsers:
        assert await lost_names(parsers, as_tree(BEFORE), as_tree(after)) == lost
