"""Writing down the director's own calls of models."""

from collections.abc import Sequence

from director.standing import Standing
from domain.events import NoticeGiven
from gateway.base import Completion
from specialists.model_called import model_called


async def tell_calls(standing: Standing, key: str, calls: Sequence[Completion], subtask_id: str = "") -> None:
    """One event for each call, and one for each budget that runs out; ``key`` is unique within the task."""
    for at, call in enumerate(calls):
        fact = model_called(call, standing.spec.model, subtask_id)
        await standing.tell(f"{key}:model:{at}", fact)
    alerts = {(alert.scope, alert.tokens): alert for call in calls for alert in call.alerts}
    for (over, tokens), alert in alerts.items():
        await standing.tell(f"{key}:alert:{over}:{tokens}", NoticeGiven(text=f"{alert}"))
