"""The prompts that the suite chooses."""

import mcp.types as types
from mcp.shared.exceptions import MCPError

from mcp_server.ide.updates import Context
from tests.mcp_server.conformance.samples import IMAGE, TEXT, embedded, form

ARGUMENTS = {
    "test_simple_prompt": (),
    "test_prompt_with_arguments": ("arg1", "arg2"),
    "test_prompt_with_embedded_resource": ("resourceUri",),
    "test_prompt_with_image": (),
    "test_input_required_result_prompt": (),
}


async def list_prompts(_context: Context, _params: object) -> types.ListPromptsResult:
    """All of them."""
    return types.ListPromptsResult(prompts=[_described(name) for name in ARGUMENTS])


async def get_prompt(
    _context: Context, params: types.GetPromptRequestParams
) -> types.GetPromptResult | types.InputRequiredResult:
    """A prompt with its arguments. MCPError."""
    given = params.arguments or {}
    if params.name not in ARGUMENTS or not set(ARGUMENTS[params.name]) <= set(given):
        raise MCPError(types.INVALID_PARAMS, "There is no such prompt, or an argument is missing")
    if params.name == "test_input_required_result_prompt":
        return _interrupted(params)
    return types.GetPromptResult(messages=[_user(block) for block in _blocks(params.name, given)])


def _described(name: str) -> types.Prompt:
    arguments = [types.PromptArgument(name=one, description=one, required=True) for one in ARGUMENTS[name]]
    return types.Prompt(name=name, description=name.replace("_", " "), arguments=arguments)


def _blocks(name: str, given: dict[str, str]) -> list[types.ContentBlock]:
    match name:
        case "test_simple_prompt":
            return [_text("This is a simple prompt for testing.")]
        case "test_prompt_with_arguments":
            return [_text(f"Prompt with arguments: arg1='{given['arg1']}', arg2='{given['arg2']}'")]
        case "test_prompt_with_embedded_resource":
            resource = embedded(given["resourceUri"], "text/plain", "Embedded resource content for testing.")
            return [resource, _text("Please process the embedded resource above.")]
        case _:
            return [IMAGE, _text("Please analyze the image above.")]


def _interrupted(params: types.GetPromptRequestParams) -> types.GetPromptResult | types.InputRequiredResult:
    answer = (params.input_responses or {}).get("user_context")
    if not isinstance(answer, types.ElicitResult):
        return types.InputRequiredResult(input_requests={"user_context": form("In which context?", context=TEXT)})
    return types.GetPromptResult(messages=[_user(_text(f"The context is {(answer.content or {}).get('context')}."))])


def _text(text: str) -> types.TextContent:
    return types.TextContent(type="text", text=text)


def _user(block: types.ContentBlock) -> types.PromptMessage:
    return types.PromptMessage(role="user", content=block)
