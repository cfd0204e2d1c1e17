"""Our requests in OpenAI's format, and answers in it. Source: the OpenAI API reference, "Create chat completion"."""

from typing import Any

from domain.answer import Answer
from domain.chat import AssistantMessage, Delta, FinishReason, Message, ModelRequest, ToolMessage, Usage, UserMessage

STREAMED = {"stream": True, "stream_options": {"include_usage": True}}
"""What a request has besides, whose answer is to come in pieces."""

FINISH_REASONS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
}
"""Other servers have words of their own for a proper end: they count as STOP."""


def to_wire(message: Message) -> dict[str, Any]:
    """One message as the API takes it."""
    wire: dict[str, Any] = {"role": message.role, "content": message.content}
    match message:
        case UserMessage(images=images) if images:
            urls = [f"data:{image.media_type};base64,{image.data}" for image in images]
            text = [{"type": "text", "text": message.content}] if message.content else []
            wire["content"] = [*text, *({"type": "image_url", "image_url": {"url": url}} for url in urls)]
        case ToolMessage():
            wire["tool_call_id"] = message.tool_call_id
        case AssistantMessage(tool_calls=calls) if calls:
            wire["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call in calls
            ]
    return wire


def request_body(request: ModelRequest, limit_name: str) -> dict[str, Any]:
    """The request as the API takes it. ``limit_name`` is what the server calls the most tokens of an answer."""
    body: dict[str, Any] = {
        "model": request.model,
        "messages": [to_wire(message) for message in request.messages],
        limit_name: request.max_output_tokens,
    }
    if request.tools:
        body["tools"] = tools_of(request)
    if request.json_schema is not None:
        schema = {"name": "answer", "schema": request.json_schema}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    if request.temperature is not None:
        body["temperature"] = request.temperature
    return body


def tools_of(request: ModelRequest) -> list[dict[str, Any]]:
    """The tools as OpenAI takes them, and many others too."""
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
        }
        for tool in request.tools
    ]


def take(answer: Answer, found: Any) -> Delta:
    """Takes in a chunk of a stream, or a whole completion; returns what of it can be shown."""
    # The last chunk has the usage, and with Groq in a place of its own that needs no asking.
    answer.usage = usage_of(found.get("usage") or (found.get("x_groq") or {}).get("usage")) or answer.usage
    if not (choices := found.get("choices")):
        return answer.hear("")
    choice = choices[0]
    whole = "message" in choice
    message = choice["message"] if whole else choice["delta"]
    for place, call in enumerate(message.get("tool_calls") or ()):
        function = call.get("function") or {}
        arguments = function.get("arguments")
        answer.call(
            place if whole else call.get("index"),
            call.get("id") or "",
            function.get("name") or "",
            "" if arguments is None else arguments,
        )
    if finish := choice.get("finish_reason"):
        answer.finish = FINISH_REASONS.get(finish, FinishReason.STOP)
    refusal = message.get("refusal") or ""
    answer.refused = answer.refused or bool(refusal)
    reasoning = message.get("reasoning_content") or message.get("reasoning") or ""
    return answer.hear(message.get("content") or refusal, reasoning)


def usage_of(told: Any) -> Usage | None:
    """The usage that the provider told; None where it told none."""
    if not told or told.get("prompt_tokens") is None:
        return None
    of_input = told.get("prompt_tokens_details") or {}
    return Usage(
        input_tokens=told["prompt_tokens"],
        output_tokens=told.get("completion_tokens") or 0,
        cached_tokens=of_input.get("cached_tokens") or 0,
        cache_write_tokens=of_input.get("cache_write_tokens") or 0,
        reasoning_tokens=(told.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0,
    )
