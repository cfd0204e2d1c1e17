"""A model whose replies are written beforehand. It says so, and it speaks only of what its script knows.

It serves tests, and the demo of somebody who has no model at hand.
"""

from collections.abc import AsyncGenerator, Sequence

from domain.base import Value
from domain.chat import (
    AssistantMessage,
    Delta,
    EmbeddingReply,
    EmbeddingRequest,
    FinishReason,
    ModelReply,
    ModelRequest,
    ToolCall,
)
from domain.errors import ModelRequestRejected, SoundstageError
from domain.tokens import estimate_usage


class Line(Value):
    """One reply: text, and tools to call as pairs of a name and its arguments in JSON."""

    text: str = ""
    calls: tuple[tuple[str, str], ...] = ()


class Scene(Value):
    """Replies for conversations in which every string of ``when`` occurs.

    The reply's place in ``lines`` is the number of replies that the conversation already holds; the last one is
    given again after the end. So the same conversation always gets the same reply.
    """

    when: tuple[str, ...]
    lines: tuple[Line, ...]


class ScriptedProvider:
    """Plays the first scene that fits. ``faults`` are raised, in order, before anything is played."""

    name = "scripted"
    local = True
    streams_schemas = True

    def __init__(
        self, scenes: Sequence[Scene], announcement: str = "", faults: Sequence[SoundstageError | None] = ()
    ) -> None:
        self.scenes = tuple(scenes)
        self._faults = list(faults)
        self.announcement = announcement
        self.requests: list[ModelRequest] = []

    async def complete(self, request: ModelRequest) -> ModelReply:
        """The reply of the scene that fits; ModelRequestRejected when none does."""
        *_, reply = [piece async for piece in self.stream(request)]
        assert isinstance(reply, ModelReply)
        return reply

    async def embed(self, request: EmbeddingRequest) -> EmbeddingReply:
        """A script holds no vectors: ModelRequestRejected."""
        raise ModelRequestRejected("The scripted model makes no embeddings. Set up a provider that does.")

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta | ModelReply]:
        """The same, in pieces."""
        self.requests.append(request)
        fault = self._faults.pop(0) if self._faults else None
        if fault is not None:
            raise fault
        line = self._line(request)
        yield Delta(text=line.text)
        said = line.text + "".join(arguments for _, arguments in line.calls)
        calls = tuple(
            ToolCall(id=f"call_{len(request.messages)}_{index}", name=name, arguments=arguments)
            for index, (name, arguments) in enumerate(line.calls)
        )
        yield ModelReply(
            message=AssistantMessage(content=line.text, tool_calls=calls),
            usage=estimate_usage(request, said),
            finish_reason=FinishReason.TOOL_CALLS if calls else FinishReason.STOP,
        )

    def _line(self, request: ModelRequest) -> Line:
        heard = "\n".join(message.content for message in request.messages)
        for scene in self.scenes:
            if all(text in heard for text in scene.when):
                spoken = sum(isinstance(message, AssistantMessage) for message in request.messages)
                return scene.lines[min(spoken, len(scene.lines) - 1)]
        raise ModelRequestRejected(
            "The scripted model has no reply for this. Set OPENAI_API_KEY (and OPENAI_BASE_URL), or start Ollama, "
            "to work with a real model."
        )

    async def models(self) -> list[str]:
        """The one id it answers to."""
        return ["scripted"]

    async def close(self) -> None:
        """Nothing is open."""
