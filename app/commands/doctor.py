"""``soundstage doctor``: what is in place, what is not, and what to do about it."""

import shutil
import sys
from collections.abc import Awaitable, Callable

from app.instances import InstanceLock
from app.keys import rings_at_home
from app.models import choose
from app.providers import URLS
from app.settings import Settings
from app.store import open_store
from domain.base import Value
from domain.errors import SoundstageError
from domain.redaction import Redactor
from domain.route import parse_route
from sandbox import images, isolation
from sandbox.address import EngineAddress
from sandbox.base import SandboxRequest
from sandbox.container import Instance
from sandbox.engine import DockerEngine
from sandbox.image_engine import ImageEngine
from sandbox.inspection import inspect

MINIMUM_FREE_BYTES = 2 * 1024**3

REQUIRED_LANGUAGE = "python"
"""Whoever works in one language needs no other's image."""


class Finding(Value):
    """One check: whether it is well, what was found, and the remedy when it is not."""

    name: str
    ok: bool
    found: str
    remedy: str = ""


async def examine(settings: Settings) -> list[Finding]:
    """Every check, in order; one that breaks is a finding as well."""
    checks: list[tuple[str, Callable[[Settings], Awaitable[Finding]]]] = [
        ("python", _python),
        ("docker engine", _engine),
        ("isolation", _isolation),
        ("sandbox images", _images),
        ("keys", _keys),
        ("model", _model),
        ("disk", _disk),
        ("home", _home),
    ]
    findings = []
    for name, check in checks:
        try:
            findings.append(await check(settings))
        except SoundstageError as error:
            said = Redactor(settings.known_secrets).text(str(error))
            findings.append(Finding(name=name, ok=False, found=said))
    return findings


async def _python(_settings: Settings) -> Finding:
    return Finding(name="python", ok=True, found=sys.version.split()[0])


async def _engine(settings: Settings) -> Finding:
    found = []
    for address in settings.engines:
        engine = DockerEngine(address.host)
        try:
            version, runtimes = await engine.version(), await engine.runtimes()
        finally:
            await engine.close()
        found.append(f"{_where(settings, address)}{version}, runtimes: {', '.join(sorted(runtimes))}")
    return Finding(name="docker engine", ok=True, found="; ".join(found))


async def _images(settings: Settings) -> Finding:
    """Which images every engine has, and which of them are built on none or not on all."""
    wanted = {name: images.tag(name) for name in images.languages()}
    missing: set[str] = set()
    lines = []
    for address in settings.engines:
        engine = ImageEngine(address.host)
        there = {name: tag for name, tag in wanted.items() if await engine.exists(tag)}
        missing |= wanted.keys() - there.keys()
        lines.append(f"{_where(settings, address)}{', '.join(there.values()) or 'none'}")
    remedy = f"not built: soundstage images build {' '.join(sorted(missing))}" if missing else ""
    return Finding(name="sandbox images", ok=REQUIRED_LANGUAGE not in missing, found="; ".join(lines), remedy=remedy)


def _where(settings: Settings, address: EngineAddress) -> str:
    """The engine's name before what was found there, when there are several."""
    return f"{address.host or 'the default engine'}: " if len(settings.engines) > 1 else ""


async def _keys(settings: Settings) -> Finding:
    """How many keys each provider has, and which of them all are refused or lack one; nobody is asked for it."""
    rings = await rings_at_home(settings)
    refused: frozenset[str] = frozenset()
    if (settings.home / "soundstage.db").exists():
        async with open_store(settings) as store:
            refused = await store.key_uses.refused()
    lacking = sorted(_named_providers(settings) - set(rings))
    bad = [name for name, ring in rings.items() if all(key.id in refused for key in ring.keys)]
    told = [f"{name}: {len(ring.keys)}{', refused' if name in bad else ''}" for name, ring in rings.items()]
    told += [f"{name}: none" for name in lacking]
    remedies = [f"soundstage keys check {name}" for name in bad] + [f"soundstage keys add {name}" for name in lacking]
    found = ", ".join(told) or "none is set or kept"
    return Finding(name="keys", ok=not remedies, found=found, remedy="; ".join(remedies))


def _named_providers(settings: Settings) -> set[str]:
    """The providers that settings name and that want a key."""
    urls = {"groq": settings.groq_base_url, "mistral": settings.mistral_base_url}
    named = {name for name, url in urls.items() if url is not None}
    if settings.soundstage_model is not None and settings.openai_base_url is None:
        # An id without a provider belongs to none of these; and one of another server's may begin like one.
        route = parse_route(settings.soundstage_model, ("", *URLS))
        named |= {candidate.provider for candidate in route.candidates} - {""}
    return named


async def _model(settings: Settings) -> Finding:
    models = await choose(settings, None)
    chosen = models.chosen
    try:
        known = await models.first.models()
    finally:
        await models.close()
    if chosen.model in known:
        remedy = "for real work set OPENAI_API_KEY or start Ollama" if chosen.provider == "scripted" else ""
        return Finding(name="model", ok=True, found=f"{chosen.model}: {chosen.why}", remedy=remedy)
    return Finding(
        name="model",
        ok=False,
        found=f"{chosen.model} is not among the {len(known)} models of the provider",
        remedy="name one of them with --model or SOUNDSTAGE_MODEL",
    )


async def _disk(settings: Settings) -> Finding:
    folder = settings.home
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    enough = free >= MINIMUM_FREE_BYTES
    remedy = "" if enough else f"free space on the disk of {folder}, or set SOUNDSTAGE_HOME"
    return Finding(name="disk", ok=enough, found=f"{free / 2**30:.1f} GiB free", remedy=remedy)


async def _home(settings: Settings) -> Finding:
    from app.bootstrap import open_tidy_store

    async with open_tidy_store(settings) as store:
        count = len(await store.tasks.newest(1000))
    return Finding(name="home", ok=True, found=f"{settings.home}, {count} tasks")


async def _isolation(settings: Settings) -> Finding:
    """Which isolation levels every engine has."""
    wanted = settings.soundstage_isolation
    isolation.runtime(wanted)
    lacking, lines = [], []
    for address in settings.engines:
        engine = DockerEngine(address.host)
        try:
            there = await engine.runtimes()
        finally:
            await engine.close()
        levels = [f"{name} ({level.title})" for name, level in isolation.LEVELS.items() if level.runtime in there]
        lines.append(f"{_where(settings, address)}{'; '.join(levels)}")
        lacking += [address.host or "the default engine"] if isolation.runtime(wanted) not in there else []
    remedy = f"{', '.join(lacking)} lacks {wanted}: make gvisor, or set SOUNDSTAGE_ISOLATION=runc"
    found = f"{wanted} is used; there: {' | '.join(lines)}"
    return Finding(name="isolation", ok=not lacking, found=found, remedy=remedy if lacking else "")


async def examine_sandbox(settings: Settings, level: str | None) -> list[Finding]:
    """Each hardening property of a sandbox that is started for this, with what was found."""
    from app.bootstrap import docker_sandboxes

    lock = InstanceLock(settings.home / "instances")
    lock.acquire()
    instance = Instance(id=lock.id, home=settings.home_id)
    request = SandboxRequest(
        task_id="", purpose="doctor", profile="small", isolation=level or settings.soundstage_isolation
    )
    sandboxes = docker_sandboxes(settings, instance, warm=False)
    try:
        async with sandboxes.lease(request) as sandbox:
            properties = await inspect(sandbox, await sandboxes.inspect(sandbox))
            name = sandbox.isolation
    finally:
        await sandboxes.close()
        lock.release()
    remedy = f"this engine contains less than Soundstage asked for ({name}): check its version and configuration"
    if name.endswith("runsc"):
        remedy += "; runsc wants --oci-seccomp (make gvisor)"
    return [
        Finding(name=one.name, ok=one.holds, found=one.found, remedy="" if one.holds else remedy) for one in properties
    ]


def show(findings: list[Finding]) -> None:
    """Prints the findings for people."""
    width = max(15, *(len(finding.name) for finding in findings))
    for finding in findings:
        print(f"{'✓' if finding.ok else '✗'} {finding.name:<{width}} {finding.found}")
        if finding.remedy:
            print(f"{'':{width + 3}}→ {finding.remedy}")
