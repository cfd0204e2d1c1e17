"""What can be wrong with a model's reply, and when a model is spoken to in plain text."""

from enum import StrEnum


class ReplyProblem(StrEnum):
    """Why a reply, or one call in it, could not be acted on."""

    EMPTY = "empty"
    NO_ACTION = "no_action"
    ONLY_THOUGHT = "only_thought"
    REPETITION = "repetition"
    REFUSED = "refused"
    CUT_OFF = "cut_off"
    NO_PATH = "no_path"
    DOUBTFUL_BLOCK = "doubtful_block"
    ARGUMENTS_NOT_JSON = "arguments_not_json"
    ARGUMENTS_NOT_VALID = "arguments_not_valid"
    UNKNOWN_TOOL = "unknown_tool"
    TOO_MANY_CALLS = "too_many_calls"


class PlainTextReason(StrEnum):
    """Why a model is spoken to in plain text: the catalogue says that it calls no tools, the server refused them, the
    first replies were malformed, or its context is too small for the tools."""

    CATALOGUE = "catalogue"
    REFUSED = "refused"
    MALFORMED = "malformed"
    CONTEXT = "context"
