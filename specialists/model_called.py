"""The fact that a model answered."""

from domain.events import ModelCalled
from domain.text import excerpt
from gateway.base import Completion

EVENT_TEXT = 2_000


def model_called(completion: Completion, route: str, subtask_id: str = "") -> ModelCalled:
    """What the event log keeps of an answer; ``route`` is what was asked where the answer names no model."""
    return ModelCalled(
        subtask_id=subtask_id,
        model=completion.model or route,
        provider=completion.provider,
        usage=completion.reply.usage,
        cost=completion.cost,
        priced=completion.priced,
        latency_s=completion.latency_s,
        text=excerpt(completion.reply.message.content, EVENT_TEXT),
    )
