"""What can be set from outside. Nothing else reads the environment."""

import hashlib
from functools import cached_property
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

HOST_CA_BUNDLES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),
    Path("/etc/pki/tls/certs/ca-bundle.crt"),
    Path("/etc/ssl/cert.pem"),
)


class Settings(BaseSettings):
    """Settings by environment variable: each field is called as its variable, in lower case."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    soundstage_home: Path = Field(default_factory=lambda: Path.home() / ".local" / "share" / "soundstage")
    soundstage_model: str | None = None
    soundstage_ca_bundle: Path | None = None
    docker_host: str | None = None
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    openai_model: str | None = None
    ollama_host: str | None = None
    http_proxy: str | None = None
    https_proxy: str | None = None
    no_proxy: str | None = None
    pip_index_url: str | None = None
    pip_extra_index_url: str | None = None
    npm_config_registry: str | None = None
    pip_cert: Path | None = None
    requests_ca_bundle: Path | None = None
    ssl_cert_file: Path | None = None

    @property
    def home(self) -> Path:
        """The folder of the database, the workspaces and the locks."""
        return self.soundstage_home

    @cached_property
    def home_id(self) -> str:
        """A short digest of the home's path, which labels its containers."""
        return hashlib.sha256(str(self.home.resolve()).encode()).hexdigest()[:16]

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

    def trusted_bundle(self) -> Path | None:
        """The CA bundle for image builds: the one that was set, or the host's own."""
        named = (self.soundstage_ca_bundle, self.pip_cert, self.requests_ca_bundle, self.ssl_cert_file)
        return next((path for path in (*named, *HOST_CA_BUNDLES) if path is not None and path.is_file()), None)
