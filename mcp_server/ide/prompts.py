"""Prompts that people choose in their IDE: Markdown files with places for their arguments."""

import re
from importlib import resources

import mcp.types as types

from domain.base import Value
from domain.errors import UnknownTask
from domain.text import excerpt
from mcp_server.caller import Permission
from mcp_server.ide.session import IdeSession

PLACE = re.compile(r"\{(\w+)\}")
MOST_ARGUMENT = 100_000
"""Characters of one argument; more is cut in the middle."""


class Argument(Value):
    """An argument of a prompt, and what stands in its place where it was left out."""

    name: str
    description: str
    required: bool = False
    absent: str = ""


class Recipe(Value):
    """A prompt."""

    name: str
    title: str
    description: str
    arguments: tuple[Argument, ...]

    @property
    def described(self) -> types.Prompt:
        """The prompt as MCP lists it."""
        arguments = [
            types.PromptArgument(name=one.name, description=one.description, required=one.required)
            for one in self.arguments
        ]
        return types.Prompt(name=self.name, title=self.title, description=self.description, arguments=arguments)


RECIPES = (
    Recipe(
        name="fix-failing-test",
        title="Fix a failing test",
        description="Has the code mended until a test passes, without touching the test.",
        arguments=(
            Argument(name="test", description="the test that fails, such as tests/test_a.py::test_b", required=True),
            Argument(
                name="output", description="what the test run printed", absent="(Run the test first, and read it.)"
            ),
            Argument(name="folder", description="the full path of the repository", absent="the present repository"),
        ),
    ),
    Recipe(
        name="add-tests",
        title="Add tests",
        description="Has tests written for code that has too few, and shows that they can fail.",
        arguments=(
            Argument(name="target", description="the file, class or function to test", required=True),
            Argument(
                name="behaviour",
                description="what it must do",
                absent="what its names, its documentation and its use say",
            ),
            Argument(name="folder", description="the full path of the repository", absent="the present repository"),
        ),
    ),
    Recipe(
        name="review-diff",
        title="Review a change",
        description="Looks for what is wrong with a change: of a task, or one that is given.",
        arguments=(
            Argument(name="task_id", description="a task whose change is reviewed", absent=""),
            Argument(name="diff", description="the change as a patch, where it is not a task's", absent=""),
            Argument(name="focus", description="what to look at above all", absent="whatever could go wrong in use"),
        ),
    ),
)
BY_NAME = {recipe.name: recipe for recipe in RECIPES}


class PromptProblem(Exception):
    """A prompt that there is not, or an argument that is missing; the message says which."""


async def get_prompt(session: IdeSession, name: str, given: dict[str, str]) -> types.GetPromptResult:
    """The prompt with its arguments in their places. PromptProblem."""
    recipe = BY_NAME.get(name)
    if recipe is None:
        raise PromptProblem(f"There is no such prompt. There are: {', '.join(BY_NAME)}.")
    if unknown := set(given) - {one.name for one in recipe.arguments}:
        raise PromptProblem(f"{name} takes no {sorted(unknown)[0][:60]!r}.")
    values = {one.name: excerpt(given.get(one.name, "").strip(), MOST_ARGUMENT) for one in recipe.arguments}
    for one in recipe.arguments:
        if one.required and not values[one.name]:
            raise PromptProblem(f"{name} needs {one.name}: {one.description}.")
        values[one.name] = values[one.name] or one.absent
    if name == "review-diff":
        values = await _with_diff(session, values)
    text = PLACE.sub(lambda place: values[place[1]], _text(name))
    message = types.PromptMessage(role="user", content=types.TextContent(type="text", text=text))
    return types.GetPromptResult(description=recipe.description, messages=[message])


async def _with_diff(session: IdeSession, values: dict[str, str]) -> dict[str, str]:
    """The arguments of a review, with the change of the task where one is named."""
    task_id = values.pop("task_id")
    if bool(task_id) == bool(values["diff"]):
        raise PromptProblem("review-diff needs either a task_id or a diff.")
    if not task_id:
        return values
    session.about(task_id)
    try:
        if not session.may(Permission.SEE_TASKS):
            raise UnknownTask
        patch = await session.tasks.patch(session.owner, task_id)
    except UnknownTask:
        raise PromptProblem(f"There is no task {task_id[:60]!r}.") from None
    return values | {"diff": excerpt(patch.content.decode(errors="replace"), MOST_ARGUMENT)}


def _text(name: str) -> str:
    return resources.files("mcp_server").joinpath("ide", "texts", f"{name}.md").read_text(encoding="utf-8")
