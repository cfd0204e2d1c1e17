"""pip: Python packages from requirements.txt."""

import json

from domain.errors import DependenciesFailed
from domain.files import FileTree
from sandbox.base import Sandbox
from sandbox.dependencies import pip_configuration
from sandbox.dependencies.access import Access, extra_hosts, hosts_of
from sandbox.dependencies.client import BUNDLE, HOME, TREE, WHEELS, Manifests, Step, ask
from sandbox.dependencies.requirements_file import START, read_requirements
from sandbox.dependencies.settings import PackageSettings
from sandbox.egress.allowlist import AllowedHost
from sandbox.egress.endpoint import endpoint_of
from sandbox.hardening import WORKSPACE

RESULT = "deps"
PLACE = "/opt/deps/python"
ASK_DEFAULTS = (
    "import json; from pip._internal.models.index import PyPI; "
    "print(json.dumps([PyPI.simple_url, f'https://{PyPI.file_storage_domain}/']))"
)
USUAL = {
    "PIP_CONFIG_FILE": "/dev/null",
    "PIP_CACHE_DIR": f"{WORKSPACE}/{HOME}/pip",
    "PIP_NO_INPUT": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_ROOT_USER_ACTION": "ignore",
    "PIP_RETRIES": "1",
    "PIP_PROGRESS_BAR": "off",
}


class PipClient:
    """Installs with the Python image's own pip."""

    name = "pip"
    manifest = START
    result = RESULT
    place = PLACE

    def __init__(self, settings: PackageSettings) -> None:
        self._settings = settings

    def manifests(self, tree: FileTree) -> Manifests:
        """The requirements files. DependenciesFailed."""
        requirements = read_requirements(tree)
        return Manifests(files=requirements.files, urls=requirements.urls)

    def fingerprint(self) -> str:
        """Indexes and links, as they are configured. DependenciesFailed."""
        found = self._configuration()
        return json.dumps([found.index, found.extra, found.links, found.no_index])

    def _configuration(self) -> pip_configuration.PipConfiguration:
        found = pip_configuration.read(self._settings.pip_files, self._settings.pip)
        hosts_of(found.urls, named=True)
        return found

    async def access(self, sandbox: Sandbox) -> Access:
        """The configured indexes, or pip's own default where there is none. DependenciesFailed."""
        found = self._configuration()
        if found.no_index and not found.links:
            raise DependenciesFailed(
                "pip's configuration on this machine names only local folders or no index at all, and a container sees "
                "none of them. Hand a folder of wheels over with --wheels DIR, or set PIP_INDEX_URL.",
                reason="configuration",
            )
        index, files = await self._defaults(sandbox)
        hosts = [*hosts_of(found.urls, named=True), *self._trusted(found.trusted), *extra_hosts(self._settings.hosts)]
        usual = AllowedHost(endpoint=endpoint_of(index), named=False)
        if not found.index and not found.no_index:
            hosts.append(usual)
        if any(host.endpoint == usual.endpoint for host in hosts):
            # The default index keeps its files at a host of its own.
            hosts += hosts_of([files], named=False)
        return Access(
            hosts=tuple(hosts),
            environment=USUAL | self._variables(found, index),
            notes=tuple(f"pip's {place} is a folder of this machine and was left out" for place in found.local),
        )

    async def _defaults(self, sandbox: Sandbox) -> tuple[str, str]:
        said = await ask(sandbox, ("python3", "-I", "-c", ASK_DEFAULTS))
        try:
            index, files = json.loads(said or b"")
            return str(index), str(files)
        except (ValueError, TypeError):
            raise DependenciesFailed(
                "The pip of the image does not say where it looks for packages by default. Set PIP_INDEX_URL, and "
                "SOUNDSTAGE_INSTALL_HOSTS for further hosts.",
                reason="configuration",
            ) from None

    def _trusted(self, trusted: tuple[str, ...]) -> list[AllowedHost]:
        whole = [
            host if host.rpartition(":")[2].isdigit() else f"{host}:{port}" for host in trusted for port in (80, 443)
        ]
        return extra_hosts(dict.fromkeys(whole))

    def _variables(self, found: pip_configuration.PipConfiguration, index: str) -> dict[str, str]:
        variables = {
            "PIP_INDEX_URL": found.index or index,
            "PIP_EXTRA_INDEX_URL": " ".join(found.extra),
            "PIP_FIND_LINKS": " ".join(found.links),
            "PIP_TRUSTED_HOST": " ".join(found.trusted),
            "PIP_NO_INDEX": "1" if found.no_index else "",
            "PIP_CERT": f"{WORKSPACE}/{BUNDLE}" if self._settings.ca_bundle else "",
        }
        return {name: value for name, value in variables.items() if value}

    def offline(self) -> Access:
        """Wheels of the person's own: pip looks at nothing else."""
        return Access(environment=USUAL | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": f"{WORKSPACE}/{WHEELS}"})

    def steps(self, manifests: Manifests, offline: bool) -> tuple[Step, ...]:
        """pip, then the compiler: what is installed is never written to again, so that its bytecode stays valid.

        One process compiles: under gVisor several of them wait for each other for ever.
        """
        del manifests
        where = ("--no-index", "--find-links", f"{WORKSPACE}/{WHEELS}") if offline else ()
        result, start = f"{WORKSPACE}/{RESULT}", f"{WORKSPACE}/{TREE}/{START}"
        install = (
            "python3", "-I", "-m", "pip", "install", "--no-compile", "--no-cache-dir", "--no-warn-script-location",
            *where, "--target", result, "--requirement", start,
        )  # fmt: skip
        compile_all = (
            "python3", "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash",
            "-s", result, "-p", PLACE, result,
        )  # fmt: skip
        return Step(argv=install), Step(argv=compile_all, needed=False)
