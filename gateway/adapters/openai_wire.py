"""Our messages in OpenAI's chat completions format. Source: the OpenAI API reference, "Create chat completion"."""

from typing import Any

from domain.chat import AssistantMessage, Message, ModelRequest, SystemMessage, ToolMessage, UserMessage


def to_wire(message: Message) -> dict[str, Any]:
    """One message as the API takes it."""
    match message:
        case SystemMessage() | UserMessage():
            return {"role": message.role, "content": message.content}
        case ToolMessage():
            return {"role": "tool", "tool_call_id": message.tool_call_id, "content": message.content}
        case AssistantMessage():
            calls = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call in message.tool_calls
            ]
            wire: dict[str, Any] = {"role": "assistant", "content": message.content}
            return wire | {"tool_calls": calls} if calls else wire


def request_body(request: ModelRequest, modern: bool) -> dict[str, Any]:
    """The arguments of ``chat.completions.create``. ``modern`` servers take ``max_completion_tokens``."""
    body: dict[str, Any] = {
        "model": request.model,
        "messages": [to_wire(message) for message in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens" if modern else "max_tokens": request.max_output_tokens,
    }
    if request.tools:
        body["tools"] = [{"type": "function", "function": tool.model_dump(mode="json")} for tool in request.tools]
    if request.json_schema is not None:
        schema = {"name": "answer", "schema": request.json_schema}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    if request.temperature is not None:
        body["temperature"] = request.temperature
    return body
