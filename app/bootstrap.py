"""The composition root: the one place where the parts are put together."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass

from app.gateway_settings import caps, gateway_policy
from app.instances import InstanceLock
from app.journal import MemoryJournal
from app.models import Models
from app.models_file import read_knowledge
from app.settings import Settings
from app.store import Store, open_store
from director.equipment import Equipment
from director.service import Director
from domain.errors import InfrastructureError, SoundstageError
from domain.redaction import Redactor
from gateway.gateway import Gateway
from gateway.knowledge import Knowledge
from gateway.policy import RetryPolicy
from mcp_server.dispatcher import Dispatcher
from mcp_server.registry import Registry
from mcp_server.tools import SPECIALIST_TOOLS
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

TIDY_EVERY_S = 30.0
"""How often what crashed processes left behind is looked for: containers, and reservations once they have expired."""

PROBE_EVERY_S = 5.0
"""How often a provider that is left alone is asked whether it is well again, where its rest is over."""


@dataclass(frozen=True)
class Soundstage:
    """The whole product in one process. ``reaped`` are the containers of crashed processes that it removed."""

    store: Store
    sandboxes: Sandboxes
    director: Director
    reaped: tuple[str, ...]


@contextlib.asynccontextmanager
async def open_tidy_store(settings: Settings) -> AsyncIterator[Store]:
    """The storage, after the tasks that crashed processes left open were ended."""
    async with open_store(settings) as store:
        await _tidy(store, InstanceLock(settings.home / "instances").alive())
        yield store


def model_gateway(settings: Settings, store: Store, models: Models, retry: RetryPolicy | None = None) -> Gateway:
    """The gateway to some models: prices and policy are those of the settings, ledger and cache those of the store."""
    policy = gateway_policy(settings)
    return Gateway(
        models.upstreams,
        store.ledger,
        policy if retry is None else policy.model_copy(update={"retry": retry}),
        _knowledge(settings, models),
        store.replies,
        Redactor(settings.known_secrets),
    )


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
async def settling(gateway: Gateway) -> AsyncIterator[None]:
    """Waits in the end until all that was sent is in the ledger, however the context ends. What went wrong inside goes
    before what goes wrong with that."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(SoundstageError):
            await gateway.settled()
        raise
    await gateway.settled()


@contextlib.asynccontextmanager
async def build(
    settings: Settings, models: Models, sandboxes: Sandboxes | None = None, tidy_every_s: float = TIDY_EVERY_S
) -> AsyncIterator[Soundstage]:
    """Everything wired, and tidied after crashed predecessors; nothing is left when the context ends."""
    lock = InstanceLock(settings.home / "instances")
    lock.acquire()
    try:
        async with open_store(settings) as store:
            instance = Instance(id=lock.id, home=settings.home_id)
            leasing = sandboxes or docker_sandboxes(settings, instance)
            try:
                await _tidy(store, lock.alive())
                gateway = model_gateway(settings, store, models)
                reaped = tuple(await leasing.reap(lock.alive))
                async with (
                    settling(gateway),
                    periodically(tidy_every_s, lambda: leasing.reap(lock.alive)),
                    periodically(tidy_every_s, store.ledger.settle_abandoned),
                    periodically(PROBE_EVERY_S, lambda: _probe(gateway)),
                ):
                    yield Soundstage(
                        store=store,
                        sandboxes=leasing,
                        director=_director(settings, store, leasing, gateway, lock.id, _knowledge(settings, models)),
                        reaped=reaped,
                    )
            finally:
                await asyncio.shield(leasing.close())
                await models.close()
    finally:
        lock.release()


def installer(settings: Settings, sandboxes: Sandboxes) -> Dependencies:
    """What installs what a workspace depends on: package clients in sandboxes, layers on every engine."""
    store = LayerStore([ImageEngine(address.host) for address in settings.engines])
    return Dependencies(store, sources(sandboxes, settings.packages), settings.soundstage_wheels)


def _knowledge(settings: Settings, models: Models) -> Knowledge:
    return models.knowledge or read_knowledge(settings)


def _director(
    settings: Settings, store: Store, sandboxes: Sandboxes, gateway: Gateway, worker: str, knowledge: Knowledge
) -> Director:
    equipment = Equipment(
        sandboxes=sandboxes,
        workspaces=store.workspaces,
        gateway=gateway,
        ledger=store.ledger,
        log=store.log,
        dispatcher=Dispatcher(Registry(SPECIALIST_TOOLS), store.audit),
        artifacts=store.artifacts,
        journals=MemoryJournal,
        worker=worker,
        installer=installer(settings, sandboxes),
        caps=caps(settings),
        catalogue=knowledge.catalogue,
    )
    return Director(equipment)


async def _probe(gateway: Gateway) -> None:
    for upstream in gateway.upstreams:
        await upstream.probe()


async def _tidy(store: Store, alive: set[str]) -> None:
    """Ends what crashed processes left open: their tasks and their reservations."""
    with contextlib.suppress(InfrastructureError):
        await store.ledger.settle_abandoned()
        for task in await store.tasks.abandoned(alive):
            await store.log.append(task.task_id, "finished", task.finish())
