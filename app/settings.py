"""What can be set from outside. Nothing else reads the environment."""

import os
from functools import cached_property
from pathlib import Path

from pydantic import ByteSize, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.home_id import read_home_id
from sandbox.address import EngineAddress, read_engines
from sandbox.dependencies import npm_configuration, pip_configuration
from sandbox.dependencies.settings import PackageSettings
from sandbox.egress.outside import UpstreamProxies
from storage.postgres import passwords, read_databases

HOST_CA_BUNDLES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),
    Path("/etc/pki/tls/certs/ca-bundle.crt"),
    Path("/etc/ssl/cert.pem"),
)


def split_secret(secret: SecretStr | None) -> tuple[SecretStr, ...]:
    """The secrets in a setting that may hold several, separated by commas."""
    parts = secret.get_secret_value().split(",") if secret is not None else ()
    return tuple(SecretStr(part.strip()) for part in parts if part.strip())


class Settings(BaseSettings):
    """Settings by environment variable: each field is called as its variable, in lower case."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    soundstage_home: Path = Field(default_factory=lambda: Path.home() / ".local" / "share" / "soundstage")
    soundstage_model: str | None = None
    soundstage_models_file: Path | None = None
    soundstage_servers_file: Path | None = None
    soundstage_roles: str = ""
    soundstage_local_only: bool = False
    soundstage_limits: str = ""
    soundstage_ollama_context: int = Field(default=16_384, ge=2048)
    soundstage_response_cache: bool = False
    soundstage_hedge_s: float | None = Field(default=None, gt=0)
    soundstage_call_budget_usd: str | None = None
    soundstage_subtask_budget_usd: str | None = None
    soundstage_day_budget_usd: str | None = None
    soundstage_user_budget_usd: str | None = None
    soundstage_ca_bundle: Path | None = None
    soundstage_isolation: str = "runc"
    soundstage_pool: str = "python/default=2"
    soundstage_sandbox_memory: ByteSize | None = None
    soundstage_sandboxes: int = Field(default=64, gt=0)
    soundstage_tasks: int = Field(default=2, gt=0)
    soundstage_patience_s: float = Field(default=600.0, gt=0)
    docker_host: str | None = None
    soundstage_master_key: SecretStr | None = None
    openai_api_key: SecretStr | None = None
    groq_api_key: SecretStr | None = None
    mistral_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    openai_model: str | None = None
    groq_base_url: str | None = None
    mistral_base_url: str | None = None
    ollama_host: str | None = None
    http_proxy: str | None = None
    https_proxy: str | None = None
    no_proxy: str | None = None
    pip_index_url: str | None = None
    pip_extra_index_url: str | None = None
    pip_find_links: str | None = None
    pip_no_index: str | None = None
    pip_trusted_host: str | None = None
    pip_config_file: str | None = None
    pip_cert: Path | None = None
    xdg_config_home: Path | None = None
    xdg_config_dirs: str | None = None
    npm_config_registry: str | None = None
    npm_config_userconfig: str | None = None
    npm_config_globalconfig: str | None = None
    npm_config_prefix: str | None = None
    soundstage_install_hosts: str = ""
    soundstage_http_hosts: str = ""
    soundstage_databases: SecretStr | None = None
    soundstage_wheels: Path | None = None
    soundstage_maven_repository: Path | None = None
    requests_ca_bundle: Path | None = None
    ssl_cert_file: Path | None = None

    @property
    def home(self) -> Path:
        """The folder of the database, the workspaces and the locks."""
        return self.soundstage_home

    @property
    def models_file(self) -> Path | None:
        """The person's own models and prices: the file that was named, or else ``models.toml`` in the home, if any."""
        own = self.home / "models.toml"
        return self.soundstage_models_file or (own if own.is_file() else None)

    @property
    def preferences_file(self) -> Path:
        """What the person of this home prefers, in their own words, if they wrote it down."""
        return self.home / "preferences.md"

    @property
    def servers_file(self) -> Path | None:
        """The person's external servers: the file that was named, or else ``servers.toml`` in the home, if any."""
        own = self.home / "servers.toml"
        return self.soundstage_servers_file or (own if own.is_file() else None)

    @property
    def role_folders(self) -> tuple[Path, ...]:
        """The folders with a person's own roles, separated as paths are on this machine; later ones go first."""
        return tuple(Path(part).expanduser() for part in self.soundstage_roles.split(os.pathsep) if part.strip())

    @property
    def editor(self) -> str:
        """The command that starts the person's editor; nothing where they named none."""
        return os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""

    def variable(self, name: str) -> SecretStr | None:
        """A variable of the environment that a person's file names, kept secret from then on."""
        value = os.environ.get(name)
        if not value:
            return None
        secret = SecretStr(value)
        self.known_secrets.append(secret)
        return secret

    @cached_property
    def home_id(self) -> str:
        """A short random id of the home, which labels its containers: homes on other machines may have the same path.

        It is made when it is first needed, and kept in the home. StorageUnavailable.
        """
        return read_home_id(self.home)

    @cached_property
    def known_secrets(self) -> list[SecretStr]:
        """The secrets that this process knows of, to be taken out of what it shows: those of the environment, and
        what is added when a kept key is decrypted or a new one typed in."""
        found = (self.soundstage_master_key, self.openai_api_key, self.groq_api_key, self.mistral_api_key)
        return [*(part for secret in found for part in split_secret(secret)), *passwords(self.soundstage_databases)]

    @cached_property
    def engines(self) -> tuple[EngineAddress, ...]:
        """The engines that sandboxes run on: DOCKER_HOST may name several. UsageError."""
        return read_engines(self.docker_host)

    @property
    def build_arguments(self) -> dict[str, str]:
        """What an image build needs to reach the outside: proxies and package indexes, where they are set."""
        found = {
            "HTTP_PROXY": self.http_proxy,
            "HTTPS_PROXY": self.https_proxy,
            "NO_PROXY": self.no_proxy,
            "PIP_INDEX_URL": self.pip_index_url,
            "PIP_EXTRA_INDEX_URL": self.pip_extra_index_url,
            "NPM_CONFIG_REGISTRY": self.npm_config_registry,
        }
        return {name: value for name, value in found.items() if value}

    @property
    def packages(self) -> PackageSettings:
        """What the dependencies phase must know of the package clients' configuration on this machine."""
        home = Path.home()
        pip = {
            "index-url": self.pip_index_url,
            "extra-index-url": self.pip_extra_index_url,
            "find-links": self.pip_find_links,
            "no-index": self.pip_no_index,
            "trusted-host": self.pip_trusted_host,
        }
        return PackageSettings(
            pip_files=pip_configuration.files(home, self.xdg_config_home, self.xdg_config_dirs, self.pip_config_file),
            pip={name: value for name, value in pip.items() if value},
            npm_files=npm_configuration.files(
                home, self.npm_config_userconfig, self.npm_config_globalconfig, self.npm_config_prefix
            ),
            npm={"registry": self.npm_config_registry} if self.npm_config_registry else {},
            maven_repository=self.soundstage_maven_repository,
            maven_settings=(home / ".m2" / "settings.xml",),
            maven_home=home / ".m2",
            hosts=tuple(self.soundstage_install_hosts.replace(",", " ").split()),
            upstream=self.upstream_proxies,
            ca_bundle=self.trusted_bundle(),
        )

    @property
    def upstream_proxies(self) -> UpstreamProxies:
        """The proxies that this machine needs to reach the outside."""
        return UpstreamProxies(https=self.https_proxy, http=self.http_proxy, bypass=self.no_proxy or "")

    @cached_property
    def databases(self) -> dict[str, SecretStr]:
        """The PostgreSQL databases that specialists may read, by name. UsageError."""
        return read_databases(self.soundstage_databases)

    def trusted_bundle(self) -> Path | None:
        """The CA bundle for image builds: the one that was set, or the host's own."""
        named = (self.soundstage_ca_bundle, self.pip_cert, self.requests_ca_bundle, self.ssl_cert_file)
        return next((path for path in (*named, *HOST_CA_BUNDLES) if path is not None and path.is_file()), None)
