"""The mutants of a source file: every place where one small change makes it wrong, most likely."""

import re
from collections.abc import Iterator

import tree_sitter

from domain.text import one_line
from mcp_server.code.languages import language_of
from mcp_server.code.mutant import Mutant
from mcp_server.code.mutation_rules import RULES, TOKENS, MutationRules
from mcp_server.code.parsing import parse

MAX_NODES = 300_000
MAX_MUTANTS = 5_000
SHOWN = 60
TELLING = re.compile(
    rb"(?:await\s+)?(?:self\.|this\.)?_?(?:log|logger|logging|console|slog|print|pprint|println|warnings|System\.(?:out|err)"
    rb"|fmt\.(?:Fp|P)rint\w*|sys\.std(?:out|err)|process\.std(?:out|err))\b",
    re.IGNORECASE,
)
"""What begins a statement that only tells somebody something."""

MESSAGE = re.compile(
    rb"(?:panic|(?:errors\.New|fmt\.Errorf)|require|\w*(?:Error|Exception))\b|new\s+[\w.]*(?:Error|Exception)\b|import\b"
)
"""What begins a call whose strings are messages, or name a module."""

ENTRY = re.compile(rb"if\s*\(?\s*__name__\s*==|if\s*\(?\s*(?:require|import\.meta)\.main\b")
DUNDER = re.compile(rb"__\w+__\s*(?::[^=\n]*)?=")
INTEGER, FLOAT = re.compile(r"\d{1,18}"), re.compile(r"\d{1,18}\.\d{1,18}")
QUOTED = re.compile(r"([A-Za-z]*)(\"\"\"|'''|[\"'`])")


def mutants(path: str, source: bytes) -> tuple[Mutant, ...] | None:
    """The mutants of a file in the order of its text; () where its syntax is broken.

    None for a language that we cannot mutate, and for a source that is too large or too slow.
    """
    language = language_of(path)
    rules = RULES.get(language.name) if language is not None else None
    tree = parse(language, source) if language is not None and rules is not None else None
    if rules is None or tree is None:
        return None
    if tree.root_node.has_error:
        return ()
    found = _File(source, rules).all(tree.root_node)
    return tuple(sorted(dict.fromkeys(found), key=lambda one: (one.start, one.end, one.operator, one.replacement)))


class _File:
    """One file that is gone through."""

    def __init__(self, source: bytes, rules: MutationRules) -> None:
        self._source = source
        self._rules = rules

    def all(self, root: tree_sitter.Node) -> list[Mutant]:
        """Every mutant, in no order."""
        found: list[Mutant] = []
        waiting = [(root, False)]
        for _ in range(MAX_NODES):
            if not waiting or len(found) >= MAX_MUTANTS:
                break
            node, message = waiting.pop()
            if self._left_alone(node):
                continue
            message = message or self._is_message(node)
            found += self._of(node, message)
            waiting += [(child, message) for child in node.children]
        return found

    def _head(self, node: tree_sitter.Node) -> bytes:
        return self._source[node.start_byte : min(node.end_byte, node.start_byte + 120)]

    def _text(self, node: tree_sitter.Node) -> str:
        return self._source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def _left_alone(self, node: tree_sitter.Node) -> bool:
        if node.type in self._rules.skipped:
            return True
        if node.type in self._rules.removable or node.type == "expression_statement":
            first = node.named_children[0] if node.named_children else node
            if first.type in self._rules.strings and len(node.named_children) == 1:
                return True  # a docstring, or a directive
            return bool(TELLING.match(self._head(node)) or DUNDER.match(self._head(node)))
        return node.type == "if_statement" and bool(ENTRY.match(self._head(node)))

    def _is_message(self, node: tree_sitter.Node) -> bool:
        calls = node.type.endswith(("call", "call_expression", "new_expression", "object_creation_expression"))
        return node.type in self._rules.raising or (calls and bool(MESSAGE.match(self._head(node))))

    def _of(self, node: tree_sitter.Node, message: bool) -> Iterator[Mutant]:
        if node.is_named and node.type in self._rules.operations:
            yield from self._operation(node)
        if node.type in self._rules.conditional:
            yield from self._condition(node)
        if node.type in self._rules.negating:
            yield from self._negation(node)
        if node.type == "return_statement":
            yield from self._return(node)
        if node.type in self._rules.removable:
            yield from self._removal(node)
        if node.type in {"break_statement", "continue_statement"}:
            yield from self._jump(node)
        if node.is_named:
            yield from self._constant(node, message)

    def _made(self, operator: str, node: tree_sitter.Node, replacement: str, what: str = "") -> Mutant:
        told = what or f"`{one_line(self._text(node), SHOWN)}` became `{one_line(replacement, SHOWN)}`"
        return Mutant(operator, node.start_point.row + 1, node.start_byte, node.end_byte, replacement, told)

    def _operation(self, node: tree_sitter.Node) -> Iterator[Mutant]:
        of_strings = any(child.type in self._rules.strings for child in node.named_children)
        for child in node.children:
            if child.is_named:
                continue
            text = " ".join(self._text(child).split())
            for operator, swaps in TOKENS:
                if text in swaps and not (of_strings and operator == "arithmetic"):
                    yield self._made(operator, child, swaps[text])

    def _condition(self, node: tree_sitter.Node) -> Iterator[Mutant]:
        condition = node.child_by_field_name("condition")
        if condition is None and node.type == "conditional_expression" and len(node.named_children) == 3:
            condition = node.named_children[1]
        if condition is None and node.type == "if_clause" and node.named_children:
            condition = node.named_children[0]
        if condition is not None and condition.type not in self._rules.negating:
            told = f"the condition `{one_line(self._text(condition), SHOWN)}` is negated"
            yield self._made("negation", condition, self._rules.negation.format(self._text(condition)), told)

    def _negation(self, node: tree_sitter.Node) -> Iterator[Mutant]:
        operand = node.child_by_field_name("argument") or node.child_by_field_name("operand")
        if operand is not None and self._head(node).startswith((b"!", b"not")):
            yield self._made("negation", node, self._text(operand))

    def _return(self, node: tree_sitter.Node) -> Iterator[Mutant]:
        values = [child for child in node.named_children if "comment" not in child.type]
        if len(values) != 1:
            return
        instead = self._default(node)
        if instead and self._text(values[0]) != instead:
            told = f"`{one_line(self._text(node), SHOWN)}` became `return {instead}`"
            yield self._made("return", values[0], instead, told)

    def _default(self, node: tree_sitter.Node) -> str:
        """What a function may return in place of what it returns; nothing where that is not known."""
        if not self._rules.functions:
            return self._rules.default
        around = node.parent
        while around is not None and around.type not in self._rules.functions:
            if "lambda" in around.type or around.type == "func_literal":
                return ""
            around = around.parent
        kind = around and (around.child_by_field_name("type") or around.child_by_field_name("result"))
        if not kind:
            return ""
        parts = kind.named_children if kind.type == "parameter_list" else [kind]
        types = [self._text(part.child_by_field_name("type") or part) for part in parts]
        return ", ".join(map(self._default_of, types)) if all(map(self._default_of, types)) else ""

    def _default_of(self, kind: str) -> str:
        pointing = "nil" if kind.startswith(("*", "[]", "map[", "interface{", "func(")) else self._rules.default
        return self._rules.defaults.get(kind, pointing)

    def _removal(self, node: tree_sitter.Node) -> Iterator[Mutant]:
        first = node.named_children[0] if node.named_children else node
        if first.type == "assignment" and (left := first.child_by_field_name("left")) and left.type == "identifier":
            return  # of a name: what comes after would not know it
        if first.type != "yield":
            told = f"`{one_line(self._text(node), SHOWN)}` was removed"
            yield self._made("removal", node, self._rules.removable[node.type], told)

    def _jump(self, node: tree_sitter.Node) -> Iterator[Mutant]:
        around = node.parent
        while around is not None and around.type not in self._rules.loops | self._rules.switches:
            around = around.parent
        if around is not None and around.type in self._rules.loops and not node.named_children:
            text = self._text(node)
            pair = ("break", "continue") if text.startswith("break") else ("continue", "break")
            yield self._made("jump", node, text.replace(*pair))

    def _constant(self, node: tree_sitter.Node, message: bool) -> Iterator[Mutant]:
        text = self._text(node)
        if node.type in self._rules.constants:
            yield self._made("constant", node, self._rules.constants[node.type])
        elif node.type in self._rules.integers and INTEGER.fullmatch(text):
            yield self._made("constant", node, f"{int(text) + 1}")
            if int(text) == 1:
                yield self._made("constant", node, "0")
        elif node.type in self._rules.floats and FLOAT.fullmatch(text):
            yield self._made("constant", node, f"{float(text) + 1.0}")
        elif node.type in self._rules.strings and not message and (quoted := QUOTED.match(text)):
            prefix = "b" if "b" in quoted.group(1).lower() else ""
            empty = len(text) == len(quoted.group()) + len(quoted.group(2))
            yield self._made("constant", node, f'{prefix}"{"mutant" if empty else ""}"')
