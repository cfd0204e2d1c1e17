"""The composition root: the one place where the parts are put together."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass

from app.instances import InstanceLock
from app.journal import MemoryJournal
from app.models_file import read_knowledge
from app.settings import Settings
from director.equipment import Equipment
from director.installer import Installer
from director.service import Director
from domain.errors import InfrastructureError
from gateway.base import Provider
from gateway.gateway import Gateway
from gateway.policy import GatewayPolicy
from gateway.retry import RetryPolicy
from mcp_server.registry import Registry
from sandbox.address import read_pool
from sandbox.base import Sandboxes
from sandbox.container import Instance
from sandbox.dependencies.dependencies import Dependencies
from sandbox.dependencies.layer_store import LayerStore
from sandbox.dependencies.sources import sources
from sandbox.docker_sandbox import DockerSandboxes, build_of
from sandbox.engine import DockerEngine
from sandbox.image_engine import ImageEngine
from sandbox.node import Node, NodeLimits
from storage.artifacts import ArtifactFolder
from storage.costs import SqlCosts
from storage.database import Database
from storage.event_log import SqlEventLog
from storage.key_file import KeyFile
from storage.ledger import SqlLedger
from storage.master_keys import MasterKeySource
from storage.secrets import SqlKeyStore
from storage.tasks import SqlTasks
from storage.workspace import WorkspaceStore
from storage.writer import Writer

REAP_EVERY_S = 30.0


@dataclass(frozen=True)
class Store:
    """What is kept: events, ledger, tasks, workspaces, artifacts and API keys."""

    log: SqlEventLog
    ledger: SqlLedger
    costs: SqlCosts
    tasks: SqlTasks
    workspaces: WorkspaceStore
    artifacts: ArtifactFolder
    keys: SqlKeyStore


@dataclass(frozen=True)
class Soundstage:
    """The whole product in one process. ``reaped`` are the containers of crashed processes that it removed."""

    store: Store
    sandboxes: Sandboxes
    director: Director
    reaped: tuple[str, ...]


@contextlib.asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[Store]:
    """The storage of a home, its schema brought up to date. StorageUnavailable."""
    database = Database(settings.home / "soundstage.db")
    await database.prepare()
    writer = Writer(database.writer)
    master = MasterKeySource(settings.soundstage_master_key, KeyFile(settings.home / "master.key"))
    try:
        yield Store(
            log=SqlEventLog(database, writer),
            ledger=SqlLedger(writer),
            costs=SqlCosts(database),
            tasks=SqlTasks(database),
            workspaces=WorkspaceStore(settings.home / "workspaces"),
            artifacts=ArtifactFolder(settings.home / "artifacts"),
            keys=SqlKeyStore(database, writer, master),
        )
    finally:
        await writer.close()
        await database.close()


@contextlib.asynccontextmanager
async def open_tidy_store(settings: Settings) -> AsyncIterator[Store]:
    """The storage, after the tasks that crashed processes left open were ended."""
    async with open_store(settings) as store:
        await _tidy(store, InstanceLock(settings.home / "instances").alive())
        yield store


def model_gateway(settings: Settings, store: Store, model: Provider, retry: RetryPolicy | None = None) -> Gateway:
    """The gateway to a model: its prices are those of the settings, its ledger that of the store."""
    policy = GatewayPolicy() if retry is None else GatewayPolicy(retry=retry)
    return Gateway.of(model, store.ledger, policy, read_knowledge(settings.models_file))


def docker_sandboxes(settings: Settings, instance: Instance, warm: bool = True) -> DockerSandboxes:
    """Sandboxes on the engines of the settings, some of them kept ready. UsageError where a setting is wrong."""
    limits = NodeLimits(memory=settings.soundstage_sandbox_memory, containers=settings.soundstage_sandboxes)
    nodes = [Node(DockerEngine(address.host), instance, address.weight, limits) for address in settings.engines]
    wanted = read_pool(settings.soundstage_pool, settings.soundstage_isolation) if warm else {}
    sizes = {build_of(request): size for request, size in wanted.items() if size}
    sandboxes = DockerSandboxes(nodes, instance, sizes)
    sandboxes.pool.start()
    return sandboxes


@contextlib.asynccontextmanager
async def periodically(every_s: float, work: Callable[[], Coroutine[object, object, object]]) -> AsyncIterator[None]:
    """Does ``work`` again and again while the context lasts; a part that does not answer is tried again later."""

    async def repeat() -> None:
        while True:
            await asyncio.sleep(every_s)
            with contextlib.suppress(Exception):  # whatever it is this time: the next time may be better
                await work()

    repeating = asyncio.create_task(repeat())
    try:
        yield
    finally:
        repeating.cancel()
        await asyncio.gather(repeating, return_exceptions=True)


@contextlib.asynccontextmanager
async def build(settings: Settings, model: Provider, sandboxes: Sandboxes | None = None) -> AsyncIterator[Soundstage]:
    """Everything wired, and tidied after crashed predecessors; nothing is left when the context ends."""
    lock = InstanceLock(settings.home / "instances")
    lock.acquire()
    try:
        async with open_store(settings) as store:
            instance = Instance(id=lock.id, home=settings.home_id)
            leasing = sandboxes or docker_sandboxes(settings, instance)
            try:
                await _tidy(store, lock.alive())
                gateway = model_gateway(settings, store, model)
                reaped = tuple(await leasing.reap(lock.alive))
                async with periodically(REAP_EVERY_S, lambda: leasing.reap(lock.alive)):
                    yield Soundstage(
                        store=store,
                        sandboxes=leasing,
                        director=_director(store, leasing, gateway, lock.id, installer(settings, leasing)),
                        reaped=reaped,
                    )
            finally:
                await asyncio.shield(leasing.close())
                await model.close()
    finally:
        lock.release()


def installer(settings: Settings, sandboxes: Sandboxes) -> Dependencies:
    """What installs what a workspace depends on: package clients in sandboxes, layers on every engine."""
    store = LayerStore([ImageEngine(address.host) for address in settings.engines])
    return Dependencies(store, sources(sandboxes, settings.packages), settings.soundstage_wheels)


def _director(store: Store, sandboxes: Sandboxes, gateway: Gateway, worker: str, installing: Installer) -> Director:
    equipment = Equipment(
        sandboxes=sandboxes,
        workspaces=store.workspaces,
        gateway=gateway,
        ledger=store.ledger,
        log=store.log,
        registry=Registry(),
        artifacts=store.artifacts,
        journals=MemoryJournal,
        worker=worker,
        installer=installing,
    )
    return Director(equipment)


async def _tidy(store: Store, alive: set[str]) -> None:
    """Ends what crashed processes left open: their tasks and their reservations."""
    with contextlib.suppress(InfrastructureError):
        await store.ledger.settle_abandoned()
        for task in await store.tasks.abandoned(alive):
            await store.log.append(task.task_id, "finished", task.finish())
