"""Writing down the director's own calls of models."""

from collections.abc import Sequence

from director.standing import Standing
from domain.events import ModelCalled, NoticeGiven
from domain.text import excerpt
from gateway.base import Completion

EVENT_TEXT = 2_000


async def tell_calls(standing: Standing, key: str, calls: Sequence[Completion], subtask_id: str = "") -> None:
    """One event for each call, and one for each budget that runs out; ``key`` is unique within the task."""
    for at, call in enumerate(calls):
        fact = ModelCalled(
            subtask_id=subtask_id,
            model=call.model or standing.spec.model,
            provider=call.provider,
            usage=call.reply.usage,
            cost=call.cost,
            priced=call.priced,
            latency_s=call.latency_s,
            text=excerpt(call.reply.message.content, EVENT_TEXT),
        )
        await standing.tell(f"{key}:model:{at}", fact)
    alerts = {(alert.scope, alert.tokens): alert for call in calls for alert in call.alerts}
    for (over, tokens), alert in alerts.items():
        await standing.tell(f"{key}:alert:{over}:{tokens}", NoticeGiven(text=f"{alert}"))
