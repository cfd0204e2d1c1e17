"""npm: JavaScript packages from package.json."""

import json

from domain.errors import DependenciesFailed
from domain.files import FileTree
from sandbox.base import Sandbox
from sandbox.dependencies import npm_configuration
from sandbox.dependencies.access import Access, extra_hosts, hosts_of
from sandbox.dependencies.client import BUNDLE, HOME, PROXY, TREE, Manifests, Step, ask
from sandbox.dependencies.package_json import LOCKS, MANIFEST, read_package
from sandbox.dependencies.settings import PackageSettings
from sandbox.hardening import WORKSPACE

RESULT = f"{TREE}/node_modules"
PLACE = "/node_modules"
USER_FILE = "npmrc"
OFFLINE = (
    "npm cannot install from a folder of wheels: those are for Python. Leave --wheels out, so that npm reaches its own "
    "registry through the proxy."
)


class NpmClient:
    """Installs with the Node image's own npm. Scripts of packages run: this phase is what contains them."""

    name = "npm"
    manifest = MANIFEST
    result = RESULT
    place = PLACE

    def __init__(self, settings: PackageSettings) -> None:
        self._settings = settings

    def manifests(self, tree: FileTree) -> Manifests:
        """package.json and its lock file. DependenciesFailed."""
        package = read_package(tree)
        return Manifests(files=package.files, urls=package.urls, notes=package.notes)

    def fingerprint(self) -> str:
        """The registries, as they are configured. DependenciesFailed."""
        found = self._configuration()
        return json.dumps([found.registry, sorted(found.scoped.items())])

    def _configuration(self) -> npm_configuration.NpmConfiguration:
        found = npm_configuration.read(self._settings.npm_files, self._settings.npm)
        hosts_of(found.urls, named=True)
        return found

    async def access(self, sandbox: Sandbox) -> Access:
        """The configured registries, or npm's own default where there is none. DependenciesFailed."""
        found = self._configuration()
        registry = found.registry or await self._default(sandbox)
        usual = [] if found.registry else hosts_of([registry], named=False)
        notes = ("npm's logins were left out: no secret enters a container",) if found.has_credentials else ()
        return Access(
            hosts=(*usual, *hosts_of(found.urls, named=True), *extra_hosts(self._settings.hosts)),
            environment=self._variables(),
            files={f"{HOME}/{USER_FILE}": self._user_file(registry, found.scoped)},
            notes=notes,
        )

    async def _default(self, sandbox: Sandbox) -> str:
        said = await ask(sandbox, ("npm", "config", "get", "registry", "--userconfig=/dev/null"))
        registry = (said or b"").decode(errors="replace").strip()
        if not registry.startswith(("http://", "https://")):
            raise DependenciesFailed(
                "The npm of the image does not say where it looks for packages by default. Set NPM_CONFIG_REGISTRY.",
                reason="configuration",
            )
        return registry

    def _variables(self) -> dict[str, str]:
        variables = {
            "npm_config_userconfig": f"{WORKSPACE}/{HOME}/{USER_FILE}",
            "npm_config_cache": f"{WORKSPACE}/{HOME}/npm",
            "npm_config_update_notifier": "false",
        }
        authorities = f"{WORKSPACE}/{BUNDLE}"
        bundle = (
            {"NODE_EXTRA_CA_CERTS": authorities, "npm_config_cafile": authorities} if self._settings.ca_bundle else {}
        )
        return variables | bundle

    def _user_file(self, registry: str, scoped: dict[str, str]) -> bytes:
        options = {
            "registry": registry, **scoped, "proxy": PROXY, "https-proxy": PROXY, "audit": "false", "fund": "false",
            "progress": "false", "fetch-retries": "1", "fetch-retry-mintimeout": "1000", "loglevel": "warn",
        }  # fmt: skip
        return "".join(f"{name}={value}\n" for name, value in options.items()).encode()

    def offline(self) -> Access:
        """npm cannot do without a registry. DependenciesFailed."""
        raise DependenciesFailed(OFFLINE, reason="configuration")

    def steps(self, manifests: Manifests, offline: bool) -> tuple[Step, ...]:
        """``npm ci`` where a lock file fixes the versions, else ``npm install``."""
        del offline
        verb = "ci" if any(lock in manifests.files for lock in LOCKS) else "install"
        return (Step(argv=("npm", verb, "--foreground-scripts", "--prefix", f"{WORKSPACE}/{TREE}")),)
