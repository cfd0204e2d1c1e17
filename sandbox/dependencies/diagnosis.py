"""Why a package client did not come to its end, told apart."""

import re

from domain.command import CommandResult, Verdict
from domain.errors import DependenciesFailed, InstallTrouble
from domain.text import plain
from sandbox.egress.allowlist import REMEDY
from sandbox.egress.contact import Outcome
from sandbox.egress.proxy import EgressProxy

NO_SPACE = re.compile(r"No space left on device|ENOSPC|Disk quota exceeded|File too large|EFBIG")
LINES, CHARACTERS = 15, 3000
MOST_HOSTS = 5


def last_words(result: CommandResult) -> str:
    """The end of what a client said, harmless to show."""
    lines = [line for line in plain(result.text()).splitlines() if line.strip()]
    return "\n".join(lines[-LINES:])[-CHARACTERS:]


def too_large(limit: int) -> DependenciesFailed:
    """The error for packages that are larger than they may be; ``limit`` is bytes."""
    return DependenciesFailed(f"The packages take more than {limit} bytes. Depend on less.", reason="size_limit")


def too_many(limit: int) -> DependenciesFailed:
    """The error for packages of more files than there may be."""
    return DependenciesFailed(f"The packages hold more than {limit} files. Depend on less.", reason="size_limit")


def failed_install(name: str, result: CommandResult, proxy: EgressProxy | None) -> DependenciesFailed:
    """The error for a client that failed, with what it said last and what to do. Without a ``proxy`` it was offline."""
    reason, why = _limit(result, proxy) or _network(proxy) or ("client", _own(name, proxy))
    said = last_words(result)
    return DependenciesFailed(f"{name} could not install: {why}" + (f"\n{said}" if said else ""), reason=reason)


def _limit(result: CommandResult, proxy: EgressProxy | None) -> tuple[InstallTrouble, str] | None:
    if result.verdict is Verdict.TIMEOUT:
        return "deadline", "it did not end before its deadline. Depend on less, or hand over wheels with --wheels DIR."
    if result.verdict is Verdict.OOM:
        return "memory", "it ran out of memory. Depend on less, or on packages that come built."
    if (proxy is not None and proxy.exhausted) or NO_SPACE.search(result.text()):
        return "size_limit", "it wanted more room than the size limit leaves. Depend on less."
    if result.verdict is Verdict.OUTPUT_LIMIT:
        return "client", "it wrote too much output."
    return None


def _network(proxy: EgressProxy | None) -> tuple[InstallTrouble, str] | None:
    contacts = proxy.contacts if proxy is not None else ()
    if refused := [contact for contact in contacts if contact.outcome is Outcome.REFUSED]:
        hosts = ", ".join(dict.fromkeys(f"{contact.host}:{contact.port}" for contact in refused[:MOST_HOSTS]))
        return "refused_host", f"it asked for hosts that are not allowed: {hosts}. {REMEDY}"
    if gone := next((contact for contact in contacts if contact.outcome is Outcome.UNREACHABLE), None):
        return "unreachable", f"{gone.why} Check the package client's configuration and HTTPS_PROXY."
    return None


def _own(name: str, proxy: EgressProxy | None) -> str:
    if proxy is None:
        return "something is missing from the folder of wheels, or does not fit this image. What it said last:"
    return f"what {name} said last:"
