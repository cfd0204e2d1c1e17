"""Asking other specialists, and asking for work by them."""

from pydantic import BaseModel, ConfigDict, Field

from domain.text import one_line
from mcp_server.caller import Permission
from mcp_server.colleagues import Colleagues
from mcp_server.session import ToolSession
from mcp_server.tool import Tool, ToolLimits, ToolOutcome, ToolRefused
from mcp_server.untrusted import untrusted

MOST_CHARACTERS = 4_000
ANSWER_S = 900.0
ROLE = "the role of whom you ask, for example review, test or code"


class AskSpecialist(BaseModel):
    """Arguments of ask_specialist."""

    model_config = ConfigDict(extra="forbid")

    role: str = Field(min_length=1, max_length=40, description=ROLE)
    question: str = Field(
        min_length=1, max_length=MOST_CHARACTERS, description="one question that stands by itself; name files and lines"
    )


class RequestWork(BaseModel):
    """Arguments of request_work."""

    model_config = ConfigDict(extra="forbid")

    role: str = Field(min_length=1, max_length=40, description=ROLE)
    goal: str = Field(
        min_length=1, max_length=MOST_CHARACTERS, description="what has to be done, in complete sentences"
    )


def _colleagues(session: ToolSession) -> Colleagues:
    if session.colleagues is None:
        raise ToolRefused("You work alone here. Find it out or do it yourself, or say in your summary what is left.")
    return session.colleagues


async def _ask(session: ToolSession, arguments: AskSpecialist) -> ToolOutcome:
    answer = await _colleagues(session).ask(arguments.role, arguments.question)
    return ToolOutcome(text=untrusted(f"the {one_line(arguments.role, 40)} specialist", answer))


async def _request(session: ToolSession, arguments: RequestWork) -> ToolOutcome:
    return ToolOutcome(text=await _colleagues(session).request(arguments.role, arguments.goal))


COLLEAGUE_TOOLS = (
    Tool(
        name="ask_specialist",
        description="Asks another specialist one question. They see your files as they are now and change none.",
        session=ToolSession,
        arguments=AskSpecialist,
        permission=Permission.HAND_OFF,
        handler=_ask,
        example={"role": "review", "question": "Does parse() in src/parser.py accept an empty line?"},
        read_only=True,
        limits=ToolLimits(timeout_s=ANSWER_S),
    ),
    Tool(
        name="request_work",
        description="Asks for work that is not yours by another specialist, who begins once your work is merged.",
        session=ToolSession,
        arguments=RequestWork,
        permission=Permission.HAND_OFF,
        handler=_request,
        example={"role": "code", "goal": "Make parse() in src/parser.py accept empty lines."},
    ),
)
