"""What of a reply is the module that was asked for."""

import pytest

from specialists.reading.module_code import module_in

ADD = "def add(a, b):\n    return a + b\n"


@pytest.mark.parametrize(
    "reply",
    [
        f"```python\n{ADD}```",
        f"Here it is:\n\n```python\n{ADD}```\nIt adds.\n\n```python\nprint(add(1, 2))\n```",
        f"```\npip install nothing\n```\n```python\n{ADD}```",
        ADD,
        f"<think>a sum, then</think>```python\n{ADD}```",
        f"```python\n{ADD}\n\nprint(add(1, 2))\nassert add(2, 2) == 4\nadd(3, 4)\n```",
        f"```python\n{ADD}\n\ndef more(:\n",
    ],
    ids=["block", "a use beside it", "another block", "no block", "a thought", "tried out", "cut off"],
)
def test_the_module_is_found_and_what_only_tries_it_out_is_left_out(reply: str) -> None:
    assert module_in(reply, {"add"}) == ADD


@pytest.mark.parametrize(
    "reply",
    ["", "I cannot do that.", "```python\ndef other():\n    pass\n```", "```python\ndef add(:\n```", "add(1, 2)"],
)
def test_a_reply_without_the_definition_holds_no_module(reply: str) -> None:
    assert module_in(reply, {"add"}) is None


def test_what_a_module_does_besides_defining_is_kept() -> None:
    source = "import re\n\nWORD = re.compile('x')\nregister(WORD)\n\n\n@cached\ndef add(a, b):\n    return a + b\n"
    assert module_in(f"```python\n{source}```", {"add"}) == source


def test_imports_that_the_request_shows_are_added_where_the_reply_left_them_out() -> None:
    request = "Complete it:\n\nfrom typing import List\nimport math\n\ndef add(a: List[int]) -> int:\n    ...\n"
    made = module_in(f"```python\nimport math\n\n{ADD}```", {"add"}, request)
    assert made == f"from typing import List\nimport math\n\n{ADD}"


@pytest.mark.parametrize("reply", ["```python\n" + "(" * 100_000, "def add(a):\n" + "x\n" * 300_000, "\ud800" * 10])
def test_hostile_replies_are_survived(reply: str) -> None:
    made = module_in(reply, {"add"})
    assert made is None or made.startswith("def add")
