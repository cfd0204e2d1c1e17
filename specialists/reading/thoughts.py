"""What a model thinks aloud before it answers, and what it makes up afterwards."""

import re

NAMES = "think|thinking|thought|thoughts|reasoning|reflection|scratchpad"
OPENING = re.compile(rf"\s*(?:<({NAMES})>|\[THINK\])", re.IGNORECASE)
CLOSING = re.compile(rf"(?:</({NAMES})>|\[/THINK\])", re.IGNORECASE)
FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
CHANNEL = re.compile(r"<\|channel\|>analysis<\|message\|>.*?(?:<\|end\|>|\Z)", re.DOTALL)
RESULT = re.compile(
    r"^[ \t*#>]*(?:Observation\s*:|Result of \w+|Tool (?:result|output|response)\b|<(?:tool_response|tool_result|"
    r"function_results?)>|\[TOOL_RESULTS\]|<\|im_start\|>(?:user|tool))",
    re.MULTILINE | re.IGNORECASE,
)
"""Where a model begins to tell itself what came of its action."""


def without_thoughts(text: str) -> str:
    """The text without the thoughts before it. A thought that was never closed goes on to the end."""
    text = CHANNEL.sub("", text) if "<|channel|>analysis" in text else text
    while opening := OPENING.match(text):
        closing = CLOSING.search(text, opening.end())
        if closing is None:
            return ""
        text = text[closing.end() :]
    # Where the server's template begins the thought, the reply holds its end alone.
    closing, fence = CLOSING.search(text), FENCE.search(text)
    if closing and (fence is None or closing.start() < fence.start()):
        text = text[closing.end() :]
    return text
