"""The director's door: tasks are submitted, run and ended here."""

import asyncio
import contextlib

from director.conclusion import result_of
from director.equipment import Equipment
from director.installation import with_dependencies
from director.standing import Standing
from director.task_run import TaskRun
from domain.errors import Conflict, SoundstageError, UnknownTask
from domain.events import Fact, TaskFinished, TaskStarted, TaskSubmitted
from domain.evidence import Grade
from domain.task import INTERRUPTED, TaskResult, TaskSpec, TaskStatus
from sandbox.uninterrupted import to_its_end


class Director:
    """Works on tasks. Whoever serves people puts storage beside it: see ``domain.task_service.TaskService``."""

    def __init__(self, equipment: Equipment) -> None:
        self._equipment = equipment

    async def submit(self, spec: TaskSpec) -> None:
        """Stores the task; it is durable when this returns."""
        await self._tell(spec.id, "submitted", TaskSubmitted(spec=spec, worker=self._equipment.worker))

    async def run(self, task_id: str) -> TaskResult:
        """Works on a task until it ends. However it ends, its last event says so, with the best tree.

        Infrastructure errors and cancellation are raised after that event is written. The message of a cancellation is
        the reason that the event gives. UnknownTask; Conflict where the task has ended already.
        """
        spec = await self._spec(task_id)
        workspace = self._equipment.workspaces.open(task_id)
        journal = self._equipment.journals(task_id)
        standing = Standing(self._equipment, spec, workspace, journal)
        try:
            await self._tell(task_id, "started", TaskStarted(worker=self._equipment.worker))
            equipment = await with_dependencies(self._equipment, spec, workspace, journal)
            standing = Standing(equipment, spec, workspace, journal)
            result = await TaskRun(standing).run()
        except asyncio.CancelledError as cancelled:
            await to_its_end(self._give_up(standing, TaskStatus.CANCELLED, str(cancelled) or INTERRUPTED))
            raise
        except SoundstageError as error:
            await to_its_end(self._give_up(standing, TaskStatus.FAILED, str(error)))
            raise
        except Exception as error:  # whatever it is, the task says so before it is raised on
            reason = f"an error in Soundstage itself: {error!r}"
            await to_its_end(self._give_up(standing, TaskStatus.FAILED, reason))
            raise
        await to_its_end(self._tell(task_id, "finished", TaskFinished(result=result)))
        return result

    async def end(self, task_id: str, reason: str) -> None:
        """Cancels a task that nobody works on: its files are as they were. One that has ended stays as it is."""
        with contextlib.suppress(Conflict):
            spec = await self._spec(task_id)
            result = TaskResult(task_id=task_id, status=TaskStatus.CANCELLED, reason=reason, commit=spec.base_commit)
            await self._tell(task_id, "finished", TaskFinished(result=result))

    async def _give_up(self, standing: Standing, status: TaskStatus, reason: str) -> None:
        """Ends a task that cannot go on: the best tree so far is kept, with nothing claimed about it."""
        with contextlib.suppress(KeyError, SoundstageError):
            await standing.salvage()
        with contextlib.suppress(SoundstageError):
            result = await result_of(standing, status, Grade.UNCHECKED, reason)
            await self._tell(standing.spec.id, "finished", TaskFinished(result=result))

    async def _spec(self, task_id: str) -> TaskSpec:
        facts = [event.fact for event in await self._equipment.log.read(task_id)]
        if any(isinstance(fact, TaskFinished) for fact in facts):
            raise Conflict(f"Task {task_id} has ended. Submit another one.")
        for fact in facts:
            if isinstance(fact, TaskSubmitted):
                return fact.spec
        raise UnknownTask(f"There is no task {task_id!r}. List the tasks with: soundstage tasks list")

    async def _tell(self, task_id: str, key: str, fact: Fact) -> None:
        await self._equipment.log.append(task_id, key, fact)
