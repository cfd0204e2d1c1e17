"""What the models of a task are told of its project, within a share of what they take."""

from director.equipment import Equipment
from domain.files import FileTree
from domain.route import parse_route
from domain.task import TaskSpec
from mcp_server.context.project_context import Gathered
from mcp_server.context.provider import Topic
from specialists.assignment import MOST_CONTEXT_TOKENS

HEAD = "What is known of the project:"
MOST_TOKENS = 4_000
SHARE = 8
"""One part in so many of a conversation."""


def context_tokens(equipment: Equipment, spec: TaskSpec) -> int:
    """What the first model of the task's route takes, as far as that is known."""
    names = tuple(upstream.name for upstream in equipment.gateway.upstreams)
    first = parse_route(spec.model, names).candidates[0]
    info = equipment.catalogue.find(first.provider, first.model)
    return info.context_tokens if info.known else MOST_CONTEXT_TOKENS


async def gather(
    equipment: Equipment, spec: TaskSpec, files: FileTree, goal: str = "", paths: tuple[str, ...] = ()
) -> Gathered:
    """The context of a tree; ``goal`` and ``paths`` say what of it matters besides what the request names."""
    budget = min(MOST_TOKENS, context_tokens(equipment, spec) // SHARE)
    topic = Topic(text=f"{goal}\n{spec.prompt}", paths=paths, owner=spec.owner)
    known = await equipment.context.gather(files, topic, budget)
    return known.model_copy(update={"text": f"{HEAD}\n\n{known.text}"}) if known.text else known
