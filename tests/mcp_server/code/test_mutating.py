"""Mutants of source files: each is a small change, parses, and leaves alone what is no behaviour."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.code.mutating import mutants
from mcp_server.code.problems import syntax_problems

PYTHON = '''"""A module."""

import os
from a import b

__all__ = ["f"]
LIMIT: int = 3


@cache(1)
def f(a: "int" = 1, *b: list[1]) -> "str":
    """Does 1 + 1."""
    if not a and b or a is not None and a in b:
        raise ValueError("too low: 1")
    while a < 2:
        log.info("at %s", 1)
        print("at", 2)
        a += 1
        if a == -1:
            break
    assert a > 0
    a.x = True
    items.append(f"{a}")
    return a + 1.5 if a else ""


if __name__ == "__main__":
    f(1)
'''
SCRIPT = """'use strict';
import a from './a';
const b = require('./b');
type One = 'a' | 'b';
export function f(a: number | 'x', b = 1): 'y' {
  if (!a && b || a === 1) throw new Error('too low');
  while (a < 2) { a += 1; a++; if (b) break; }
  switch (a) { case 1: b(); break; }
  console.log('at', 1);
  return a + 1 ? `x${a}` : null;
}
"""
JAVA = """package a;
import b.C;
class A {
  @D(1) int f(int a) {
    if (!(a < 1) && g) { throw new X("too low"); }
    while (a <= 2) { a += 1; a++; if (g) break; }
    System.out.println("at" + 1);
    h(a);
    return a + 1;
  }
  String s() { return "s" + 1; }
  boolean t() { return a == b; }
}
"""
GO = """package a
import "fmt"
type T struct { A int `json:"a"` }
func f(a int, b string) (int, error) {
	if !ok && a < 1 || a == 2 { return 0, errors.New("too low") }
	for i := 0; i < 3; i++ { if b == "" { break } }
	fmt.Println("at", 1)
	g(a)
	return a + 1, nil
}
"""
SOURCES = {"a.py": PYTHON, "a.ts": SCRIPT, "A.java": JAVA, "a.go": GO}
EXPECTED = {
    "a.py": [
        "`<` became `>=`", "`<` became `<=`", "`and` became `or`", "`is not` became `is`", "`in` became `not in`",
        "`not a` became `a`", "`+` became `-`", "`+=` became `-=`", "`1` became `0`", "`1` became `2`",
        "`3` became `4`",
        "`1.5` became `2.5`", "`True` became `False`", '`""` became `"mutant"`', "`break` became `continue`",
        '`return a + 1.5 if a else ""` became `return None`', '`raise ValueError("too low: 1")` was removed',
        '`items.append(f"{a}")` was removed', "the condition `a == -1` is negated", "the condition `a` is negated",
    ],
    "a.ts": [
        "`===` became `!==`", "`<` became `<=`", "`&&` became `||`", "`!a` became `a`", "`++` became `--`",
        "`break;` became `continue;`", "`throw new Error('too low');` was removed", "`b();` was removed",
        "`return a + 1 ? `x${a}` : null;` became `return undefined`", "``x${a}`` became `\"\"`",
    ],
    "A.java": [
        "`<` became `<=`", "`&&` became `||`", "`!(a < 1)` became `(a < 1)`", "`h(a);` was removed",
        "`return a + 1;` became `return 0`", "`return a == b;` became `return false`",
        '`return "s" + 1;` became `return null`', '`"s"` became `""`',
    ],
    "a.go": [
        "`==` became `!=`", "`!ok` became `ok`", "`<` became `<=`", "`++` became `--`", "`break` became `continue`",
        "`g(a)` was removed", "`return a + 1, nil` became `return 0, nil`", '`""` became `"mutant"`',
    ],
}  # fmt: skip
LEFT_ALONE = (
    "A module", "Does", "import", "__all__", "__name__", "cache", "too low: 1` became", '"too low', "'too low", "at %s",
    "log.info", "print", "assert", "console", "Println", "println", "strict", "./a", "./b", "'x'", "'y'", "json", "@D",
)  # fmt: skip
LINES_LEFT_ALONE = ("log.info", "print(", "@cache", "__all__", "type One")


@pytest.mark.parametrize("path", SOURCES)
def test_every_sort_of_change_is_made(path: str) -> None:
    found = {one.what for one in mutants(path, SOURCES[path].encode()) or ()}
    assert [what for what in EXPECTED[path] if what not in found] == []


@pytest.mark.parametrize("path", SOURCES)
def test_texts_that_only_tell_types_and_imports_are_left_alone(path: str) -> None:
    source = SOURCES[path].encode()
    lines = source.decode().splitlines()
    for one in mutants(path, source) or ():
        changed = source[one.start : one.end].decode()
        removed = one.operator in {"removal", "negation", "return"}
        assert removed or not any(word in changed for word in LEFT_ALONE), one
        assert not any(
            word in lines[one.line - 1] for word in ("log.info", "print(", "@cache", "__all__", "type One")
        ), one


@pytest.mark.parametrize("path", SOURCES)
def test_each_mutant_parses_and_is_another_text_on_its_line(path: str) -> None:
    source = SOURCES[path].encode()
    found = mutants(path, source)
    assert found
    for one in found:
        after = one.applied(source)
        assert after != source
        assert syntax_problems(path, after) == (), one
        first = source[: one.start].count(b"\n") + 1
        assert one.line == first
        assert after.splitlines()[: first - 1] == source.splitlines()[: first - 1]


def test_the_bounds_of_a_return_are_kept_in_go_where_a_type_is_not_known() -> None:
    source = b"package a\nfunc f() Thing { return x }\nfunc g() *Thing { return x }\n"
    assert [one.replacement for one in mutants("a.go", source) or ()] == ["nil"]


def test_a_file_that_is_broken_or_of_no_known_language_has_none() -> None:
    assert mutants("a.py", b"def f(:\n  1 +\n") == ()
    assert mutants("a.rb", b"1 + 1") is None
    assert mutants("notes.txt", b"1 + 1") is None


PARTS = st.sampled_from(
    ["if x:\n    y()\n", "a < b", "not ", "(", ")", "return 1\n", "'", '"""', "\n", "    ", "f(1)", "x = 1\n", "[", "]",
     "while True:\n    break\n", "1.5", "é", "lambda: 1", "and ", "# no\n", "\\\n"]
)  # fmt: skip


@settings(max_examples=200)
@given(st.sampled_from(sorted(SOURCES)), st.lists(PARTS, max_size=25).map("".join) | st.text())
def test_mutants_of_any_text_lie_in_it_and_differ(path: str, text: str) -> None:
    source = text.encode(errors="replace")
    for one in mutants(path, source) or ():
        assert 0 <= one.start <= one.end <= len(source)
        assert one.applied(source) != source or one.replacement.encode() == source[one.start : one.end]
