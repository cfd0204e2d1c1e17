"""The composition root: the one place where the parts are put together."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass

from app.gateway_settings import caps, gateway_policy
from app.instances import InstanceLock
from app.journal import Journals
from app.models import Models
from app.models_file import read_knowledge
from app.project_context import project_context
from app.sandboxes import docker_sandboxes
from app.servers import external_servers
from app.settings import Settings
from app.store import Store, open_store, tidy
from app.task_desk import DeskRules, TaskDesk
from director.equipment import Equipment
from director.service import Director
from domain.errors import EngineUnavailable, SoundstageError
from domain.redaction import Redactor
from gateway.gateway import Gateway
from gateway.knowledge import Knowledge
from gateway.policy import RetryPolicy
from mcp_server.context.project_context import ProjectContext
from mcp_server.dispatcher import Dispatcher
from mcp_server.ide import IDE_TOOLS
from mcp_server.kept_files import KeptFiles
from mcp_server.parsers.parsers import Parsers
from mcp_server.registry import Registry
from mcp_server.repo_map.repo_map import RepoMap
from mcp_server.tools import Means, specialist_tools
from mcp_server.web.web import Web, read_hosts
from sandbox.base import Sandboxes
from sandbox.container import Instance
from sandbox.dependencies.dependencies import Dependencies
from sandbox.dependencies.layer_store import LayerStore
from sandbox.dependencies.sources import sources
from sandbox.image_engine import ImageEngine
from sandbox.uninterrupted import to_its_end
from specialists.role_files import read_roles
from storage.postgres import PostgresDatabases

TIDY_EVERY_S = 30.0
"""How often what crashed processes left behind is looked for: containers, and reservations once they have expired."""

PROBE_EVERY_S = 5.0
"""How often a provider that is left alone is asked whether it is well again, where its rest is over."""


@dataclass(frozen=True)
class Soundstage:
    """The whole product in one process. ``dispatcher`` calls the tools for people, ``context`` knows what projects are
    like; ``reaped`` are the containers of crashed processes that were removed."""

    store: Store
    sandboxes: Sandboxes
    director: Director
    tasks: TaskDesk
    dispatcher: Dispatcher
    context: ProjectContext
    reaped: tuple[str, ...]


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
        async with open_store(settings) as store, Parsers() as parsers:
            instance = Instance(id=lock.id, home=settings.home_id)
            leasing = sandboxes or docker_sandboxes(settings, instance)
            try:
                await tidy(store, lock.alive())
                gateway = model_gateway(settings, store, models)
                reaped = await _reaped(leasing, lock)
                equipment, journals = _equipment(settings, store, leasing, gateway, lock.id, models, parsers)
                director = Director(equipment)
                servers = external_servers(settings, leasing, equipment.registry)
                await servers.refresh()
                async with (
                    contextlib.aclosing(servers),
                    periodically(tidy_every_s, servers.refresh),
                    settling(gateway),
                    periodically(tidy_every_s, lambda: leasing.reap(lock.alive)),
                    periodically(tidy_every_s, store.ledger.settle_abandoned),
                    periodically(PROBE_EVERY_S, lambda: _probe(gateway)),
                    _desk(store, director, journals, _rules(settings, models)) as tasks,
                ):
                    yield Soundstage(
                        store=store,
                        sandboxes=leasing,
                        director=director,
                        tasks=tasks,
                        dispatcher=Dispatcher(equipment.registry, store.audit),
                        context=equipment.context,
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


def tool_means(settings: Settings, store: Store, parsers: Parsers, repo_map: RepoMap) -> Means:
    """What specialists' tools work with besides the sandbox. UsageError where a setting is wrong."""
    hosts = read_hosts(settings.soundstage_http_hosts)
    return Means(
        syntax=parsers,
        repo_map=repo_map,
        kept=KeptFiles(store.log, store.artifacts),
        databases=PostgresDatabases(settings.databases),
        web=Web(hosts, settings.upstream_proxies, settings.trusted_bundle()) if hosts else None,
    )


async def _reaped(sandboxes: Sandboxes, lock: InstanceLock) -> tuple[str, ...]:
    """Who serves tasks starts without an engine, too: whoever submits one then is told."""
    try:
        return tuple(await sandboxes.reap(lock.alive))
    except EngineUnavailable:
        return ()


def _knowledge(settings: Settings, models: Models) -> Knowledge:
    return models.knowledge or read_knowledge(settings)


def _equipment(
    settings: Settings,
    store: Store,
    sandboxes: Sandboxes,
    gateway: Gateway,
    worker: str,
    models: Models,
    parsers: Parsers,
) -> tuple[Equipment, Journals]:
    """What the director works with, and the journals that it writes."""
    journals = Journals()
    repo_map = RepoMap(parsers, settings.home / "tags.db")
    equipment = Equipment(
        sandboxes=sandboxes,
        workspaces=store.workspaces,
        gateway=gateway,
        ledger=store.ledger,
        log=store.log,
        registry=Registry((*specialist_tools(tool_means(settings, store, parsers, repo_map)), *IDE_TOOLS)),
        audit=store.audit,
        artifacts=store.artifacts,
        journals=journals.open,
        worker=worker,
        installer=installer(settings, sandboxes),
        caps=caps(settings),
        catalogue=_knowledge(settings, models).catalogue,
        patience_s=settings.soundstage_patience_s,
        context=project_context(repo_map, settings.preferences_file),
        roles=read_roles(settings.role_folders),
    )
    return equipment, journals


def _rules(settings: Settings, models: Models) -> DeskRules:
    return DeskRules(
        model=models.chosen.route,
        providers=tuple(upstream.name for upstream in models.upstreams),
        isolation=settings.soundstage_isolation,
        roles=tuple(read_roles(settings.role_folders)),
        at_once=settings.soundstage_tasks,
    )


@contextlib.asynccontextmanager
async def _desk(store: Store, director: Director, journals: Journals, rules: DeskRules) -> AsyncIterator[TaskDesk]:
    desk = TaskDesk(store, director, journals, rules)
    try:
        yield desk
    finally:
        await to_its_end(desk.close())


async def _probe(gateway: Gateway) -> None:
    for upstream in gateway.upstreams:
        await upstream.probe()
