"""What can be changed in each language, as data: the types of the grammar's nodes, and what takes their place."""

from dataclasses import dataclass, field

COMPARISON = {
    "==": "!=", "!=": "==", "===": "!==", "!==": "===", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "<>": "==",
    "is": "is not", "is not": "is", "in": "not in", "not in": "in",
}  # fmt: skip
BOUNDARY = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
ARITHMETIC = {
    "+": "-", "-": "+", "*": "/", "/": "*", "//": "*", "%": "*", "**": "*", "<<": ">>", ">>": "<<", "&": "|", "|": "&",
    "^": "&", "+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "//=": "*=", "%=": "*=", "++": "--", "--": "++",
}  # fmt: skip
BOOLEAN = {"and": "or", "or": "and", "&&": "||", "||": "&&", "??": "&&"}
TOKENS = (("comparison", COMPARISON), ("boundary", BOUNDARY), ("arithmetic", ARITHMETIC), ("boolean", BOOLEAN))


@dataclass(frozen=True)
class MutationRules:
    """The node types of a language.

    ``skipped`` are left alone with all that is in them; in ``raising`` the strings are messages and left alone.
    ``operations`` hold an operator between operands. ``conditional`` hold a condition; it is negated by ``negation``.
    ``constants`` and ``removable`` map a type to what takes its place. ``defaults`` are the values that a function may
    return instead, by its return type, and ``default`` where that is not known.
    """

    skipped: frozenset[str]
    raising: frozenset[str]
    operations: frozenset[str]
    conditional: frozenset[str]
    negation: str
    negating: frozenset[str]
    strings: frozenset[str]
    integers: frozenset[str]
    floats: frozenset[str]
    constants: dict[str, str]
    removable: dict[str, str]
    loops: frozenset[str]
    switches: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    default: str = ""
    defaults: dict[str, str] = field(default_factory=dict)


def _types(text: str) -> frozenset[str]:
    return frozenset(text.split())


PYTHON = MutationRules(
    skipped=_types(
        "import_statement import_from_statement future_import_statement type decorator assert_statement comment "
        "type_alias_statement global_statement nonlocal_statement"
    ),
    raising=_types("raise_statement"),
    operations=_types("comparison_operator boolean_operator binary_operator augmented_assignment"),
    conditional=_types("if_statement elif_clause conditional_expression if_clause"),
    negation="not ({})",
    negating=_types("not_operator"),
    strings=_types("string"),
    integers=_types("integer"),
    floats=_types("float"),
    constants={"true": "False", "false": "True"},
    removable={"expression_statement": "pass", "raise_statement": "pass", "delete_statement": "pass"},
    loops=_types("for_statement while_statement"),
    default="None",
)
_SCRIPT_TYPES = _types(
    "import_statement export_clause type_annotation type_alias_declaration interface_declaration type_arguments "
    "type_parameters decorator comment ambient_declaration literal_type as_expression_type asserts_annotation "
    "type_predicate_annotation"
)
TYPESCRIPT = MutationRules(
    skipped=_SCRIPT_TYPES,
    raising=_types("throw_statement"),
    operations=_types("binary_expression augmented_assignment_expression update_expression"),
    conditional=_types("if_statement ternary_expression"),
    negation="(!({}))",
    negating=_types("unary_expression"),
    strings=_types("string template_string"),
    integers=_types("number"),
    floats=_types("number"),
    constants={"true": "false", "false": "true"},
    removable={"expression_statement": ";", "throw_statement": ";"},
    loops=_types("for_statement for_in_statement while_statement do_statement"),
    switches=_types("switch_statement"),
    default="undefined",
)
_NUMBERS = dict.fromkeys(("int", "long", "short", "byte", "float", "double", "char"), "0")
JAVA = MutationRules(
    skipped=_types(
        "import_declaration package_declaration annotation marker_annotation assert_statement line_comment "
        "block_comment type_arguments switch_label"
    ),
    raising=_types("throw_statement"),
    operations=_types("binary_expression assignment_expression update_expression"),
    conditional=_types("if_statement ternary_expression"),
    negation="(!({}))",
    negating=_types("unary_expression"),
    strings=_types("string_literal"),
    integers=_types("decimal_integer_literal"),
    floats=_types("decimal_floating_point_literal"),
    constants={"true": "false", "false": "true"},
    removable={"expression_statement": ";", "throw_statement": ";"},
    loops=_types("for_statement enhanced_for_statement while_statement do_statement"),
    switches=_types("switch_expression switch_statement"),
    functions=_types("method_declaration"),
    default="null",
    defaults={**_NUMBERS, "boolean": "false", "void": ""},
)
_GO_NUMBERS = "int int8 int16 int32 int64 uint uint8 uint16 uint32 uint64 float32 float64 byte rune uintptr"
GO = MutationRules(
    skipped=_types("import_declaration package_clause type_declaration field_declaration comment type_arguments"),
    raising=_types(""),
    operations=_types("binary_expression assignment_statement inc_statement dec_statement"),
    conditional=_types("if_statement"),
    negation="!({})",
    negating=_types("unary_expression"),
    strings=_types("interpreted_string_literal raw_string_literal"),
    integers=_types("int_literal"),
    floats=_types("float_literal"),
    constants={"true": "false", "false": "true"},
    removable={"expression_statement": "", "inc_statement": "", "dec_statement": ""},
    loops=_types("for_statement"),
    switches=_types("expression_switch_statement type_switch_statement select_statement"),
    functions=_types("function_declaration method_declaration"),
    defaults={**dict.fromkeys(_GO_NUMBERS.split(), "0"), "string": '""', "bool": "false", "error": "nil", "any": "nil"},
)
RULES = {"python": PYTHON, "java": JAVA, "go": GO} | dict.fromkeys(("javascript", "typescript", "tsx"), TYPESCRIPT)
"""By the names of ``mcp_server.code.languages``."""
