"""The one place where tasks are submitted, looked at and steered: the director's work joined with what is stored."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator

from app.journal import Journals
from app.store import Store
from app.task_runs import TaskRuns
from director.analysis import ANALYST
from director.approval import answer_key, topic_of
from director.planning.plan_approval import check_edited
from director.planning.plan_reading import check_roles
from director.planning.planner import PLANNER
from director.service import Director
from domain.approval import ApprovalAnswer
from domain.base import Value
from domain.costs import CostGrouping, CostLine, CostQuery
from domain.errors import (
    Conflict,
    SoundstageError,
    StorageUnavailable,
    UnknownArtifact,
    UnknownQuestion,
    UsageError,
)
from domain.events import Event, QuestionAnswered, VerificationFinished
from domain.evidence import Evidence
from domain.files import FileTree
from domain.progress import STANDING, Progress
from domain.route import parse_route
from domain.strategy import Strategy
from domain.task import TaskResult, TaskSpec, TaskStatus
from domain.task_service import Patch, TaskOrder, TaskPage, TaskView
from domain.workspace import MAIN_BRANCH, Workspace
from sandbox import isolation
from sandbox.profiles import profile
from sandbox.uninterrupted import to_its_end
from storage.tasks import TaskRecord


class DeskRules(Value):
    """What is usual for a task: its ``model`` (a route over ``providers``) and its isolation; the names of the
    ``roles`` that there are; how many are worked on at once, and how many may wait, in all and of one owner."""

    model: str
    providers: tuple[str, ...]
    isolation: str = "runc"
    roles: tuple[str, ...] = ()
    at_once: int = 2
    waiting: int = 100
    waiting_of_one: int = 20


class TaskDesk:
    """Implements ``domain.task_service.TaskService``."""

    def __init__(self, store: Store, director: Director, journals: Journals, rules: DeskRules) -> None:
        self._store = store
        self._director = director
        self._journals = journals
        self._rules = rules
        self._runs = TaskRuns(director, journals, rules.at_once, rules.waiting, rules.waiting_of_one)

    async def submit(self, order: TaskOrder) -> str:
        """Stores the task, and puts it at the end of the line; see ``TaskService``."""
        model, level = order.model or self._rules.model, order.isolation or self._rules.isolation
        parse_route(model, self._rules.providers)
        isolation.runtime(level)
        profile(order.profile)
        self._check_strategy(order.strategy)
        if unknown := sorted(set(order.tests) - set(order.files)):
            raise UsageError(f"There are no such files to protect: {', '.join(unknown[:5])}. Name some that are there.")
        task_id = secrets.token_hex(6)
        with self._runs.room(order.owner):
            try:
                await to_its_end(self._keep(task_id, order, model, level))
                self._runs.start(order.owner, task_id)
            except (asyncio.CancelledError, UsageError):
                with contextlib.suppress(SoundstageError):
                    await to_its_end(self._director.end(task_id, "whoever submitted it went away"))
                raise
        return task_id

    def _check_strategy(self, strategy: Strategy) -> None:
        """UsageError where a plan or a role cannot be."""
        for route in strategy.models.values():
            parse_route(route, self._rules.providers)
        if unknown := sorted(set(strategy.models) - {PLANNER, ANALYST, *self._rules.roles}):
            raise UsageError(f"There are no roles {', '.join(unknown)} that could have a model of their own.")
        if strategy.plan is not None:
            check_roles(strategy.plan, self._rules.roles)

    async def _keep(self, task_id: str, order: TaskOrder, model: str, level: str) -> None:
        workspace = await self._store.workspaces.create(task_id)
        try:
            base = await workspace.start(order.files)
            if order.origin is not None:
                await workspace.came_from(order.origin.repository, order.origin.commit)
            spec = TaskSpec(
                id=task_id, model=model, base_commit=base.commit, protected_paths=order.tests, isolation=level,
                **order.terms(),
            )  # fmt: skip
            await self._director.submit(spec)
        except BaseException:
            await self._store.workspaces.discard(task_id)
            raise

    async def wait(self, owner: str, task_id: str) -> TaskResult:
        """The result, at the end; see ``TaskService``."""
        run = self._runs.of(owner, task_id)
        if run is not None:
            await self._runs.ended(run)
        else:
            async for _ in self.follow(owner, task_id):
                pass
        result = (await self._store.tasks.of(owner, task_id)).result
        if result is None:
            raise StorageUnavailable(f"Task {task_id} ended, and its end could not be written.")
        return result

    async def cancel(self, owner: str, task_id: str, reason: str) -> None:
        """Ends a task; see ``TaskService``. One of this process is told before anything is waited for."""
        run = self._runs.of(owner, task_id)
        if run is not None:
            await to_its_end(self._runs.cancel(task_id, run, reason))
            return
        task = (await self._store.tasks.of(owner, task_id)).summary
        if task.status is TaskStatus.RUNNING:
            raise UsageError(f"Another process works on task {task_id}. Cancel it there.")
        if not task.status.finished:
            await self._director.end(task_id, reason)

    async def get(self, owner: str, task_id: str) -> TaskView:
        """Where the task stands."""
        task = await self._store.tasks.of(owner, task_id)
        progress = await self._progress(task_id)
        return TaskView(
            summary=task.summary, seq=progress.seq, step=progress.step, plan=progress.plan,
            subtasks=tuple(progress.subtasks.values()), questions=tuple(progress.questions.values()),
            result=task.result,
        )  # fmt: skip

    async def _progress(self, task_id: str) -> Progress:
        progress = Progress()
        for event in await self._store.log.read(task_id, types=STANDING):
            progress.see(event)
        return progress

    async def page(self, owner: str, status: TaskStatus | None, cursor: str | None, most: int) -> TaskPage:
        """Tasks of an owner, the newest first."""
        return await self._store.tasks.page(owner, status, cursor, most)

    async def events(self, owner: str, task_id: str, after: int, most: int) -> tuple[Event, ...]:
        """At most so many events above ``after``, in order."""
        await self._store.tasks.of(owner, task_id)
        return tuple(await self._store.log.read(task_id, after, most))

    async def follow(self, owner: str, task_id: str, after: int = 0) -> AsyncIterator[Event]:
        """The events above ``after``, then those to come, until the task ends."""
        run = self._runs.of(owner, task_id)
        await self._store.tasks.of(owner, task_id)
        over = (lambda: False) if run is None else (lambda: run.over)
        async for event in self._store.log.follow(task_id, after, over):
            yield event

    async def patch(self, owner: str, task_id: str) -> Patch:
        """What the task changed; see ``TaskService``."""
        task = await self._store.tasks.of(owner, task_id)
        base, workspace = task.spec.base_commit, self._store.workspaces.open(task_id)
        commit = await _best(task, workspace)
        patch = await workspace.patch(base, commit)
        return Patch(content=patch.encode("utf-8", "surrogateescape"), paths=await workspace.paths(base, commit))

    async def tree(self, owner: str, task_id: str) -> FileTree:
        """The files of its best tree; see ``TaskService``."""
        task = await self._store.tasks.of(owner, task_id)
        workspace = self._store.workspaces.open(task_id)
        return await workspace.files(await _best(task, workspace))

    async def evidence(self, owner: str, task_id: str) -> Evidence | None:
        """What a clean room saw; see ``TaskService``."""
        task = await self._store.tasks.of(owner, task_id)
        if task.result is not None:
            return task.result.evidence
        facts = [event.fact for event in await self._store.log.read(task_id, types=("verification_finished",))]
        seen = [fact.evidence for fact in facts if isinstance(fact, VerificationFinished)]
        return seen[-1] if seen else None

    async def artifact(self, owner: str, task_id: str, path: str) -> bytes:
        """The content of a file that the task kept. UnknownArtifact."""
        result = (await self._store.tasks.of(owner, task_id)).result
        found = [artifact for artifact in (result.artifacts if result else ()) if artifact.path == path]
        if not found:
            raise UnknownArtifact
        return await self._store.artifacts.get(found[0])

    async def costs(self, owner: str, task_id: str, by: CostGrouping) -> tuple[CostLine, ...]:
        """What the task spent so far."""
        await self._store.tasks.of(owner, task_id)
        return await self._store.costs.read(CostQuery(by=by, task_id=task_id))

    async def answer(self, owner: str, task_id: str, question_id: str, answer: ApprovalAnswer, by: str) -> None:
        """Answers an open question; the first answer counts. UnknownQuestion, UsageError."""
        await self._store.tasks.of(owner, task_id)
        question = (await self._progress(task_id)).questions.get(question_id)
        if question is None:
            raise UnknownQuestion
        if self._runs.of(owner, task_id) is None:
            raise UsageError(f"Another process works on task {task_id}. Answer it there.")
        if answer.edited:
            check_edited(question.question, answer.edited, self._rules.roles)
        fact = QuestionAnswered(
            subtask_id=question.question.subtask_id, question_id=question_id, approved=answer.approved, by=by,
            note=answer.note, edited=answer.edited,
        )  # fmt: skip
        await to_its_end(self._write(task_id, fact, answer))

    async def _write(self, task_id: str, fact: QuestionAnswered, answer: ApprovalAnswer) -> None:
        try:
            await self._store.log.append(task_id, answer_key(fact.question_id), fact)
        except Conflict:
            raise UnknownQuestion("That question was answered a moment ago.") from None
        self._journals.send(task_id, topic_of(fact.question_id), answer.model_dump_json())

    async def close(self) -> None:
        """Cancels what is at work here, and waits for its end."""
        await self._runs.close()


async def _best(task: TaskRecord, workspace: Workspace) -> str:
    """The commit of the best tree; while the task runs, of what is merged."""
    try:
        return task.result.commit if task.result is not None else await workspace.head(MAIN_BRANCH)
    except KeyError:
        return task.spec.base_commit
