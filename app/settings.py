"""What can be set from outside. Nothing else reads the environment."""

import hashlib
from functools import cached_property
from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

HOST_CA_BUNDLES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),
    Path("/etc/pki/tls/certs/ca-bundle.crt"),
    Path("/etc/ssl/cert.pem"),
)
BUILD_VARIABLES = (
    "http_proxy", "https_proxy", "no_proxy", "pip_index_url", "pip_extra_index_url",
)  # fmt: skip


def _env(name: str) -> AliasChoices:
    return AliasChoices(name.lower(), name)


class Settings(BaseSettings):
    """Settings by environment variable; each field names its variable in its alias."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    home: Path = Field(
        default_factory=lambda: Path.home() / ".local" / "share" / "soundstage",
        validation_alias=_env("SOUNDSTAGE_HOME"),
    )
    model: str | None = Field(default=None, validation_alias=_env("SOUNDSTAGE_MODEL"))
    docker_host: str | None = Field(default=None, validation_alias=_env("DOCKER_HOST"))
    openai_api_key: SecretStr | None = Field(default=None, validation_alias=_env("OPENAI_API_KEY"))
    openai_base_url: str | None = Field(default=None, validation_alias=_env("OPENAI_BASE_URL"))
    openai_model: str | None = Field(default=None, validation_alias=_env("OPENAI_MODEL"))
    ollama_host: str | None = Field(default=None, validation_alias=_env("OLLAMA_HOST"))
    ca_bundle: Path | None = Field(
        default=None,
        validation_alias=AliasChoices("SOUNDSTAGE_CA_BUNDLE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"),
    )
    http_proxy: str | None = Field(default=None, validation_alias=_env("HTTP_PROXY"))
    https_proxy: str | None = Field(default=None, validation_alias=_env("HTTPS_PROXY"))
    no_proxy: str | None = Field(default=None, validation_alias=_env("NO_PROXY"))
    pip_index_url: str | None = Field(default=None, validation_alias=_env("PIP_INDEX_URL"))
    pip_extra_index_url: str | None = Field(default=None, validation_alias=_env("PIP_EXTRA_INDEX_URL"))

    @cached_property
    def home_id(self) -> str:
        """A short digest of the home's path, which labels its containers."""
        return hashlib.sha256(str(self.home.resolve()).encode()).hexdigest()[:16]

    @property
    def build_arguments(self) -> dict[str, str]:
        """What an image build needs to reach the outside: proxies and package indexes, where they are set."""
        found = {name: getattr(self, name) for name in BUILD_VARIABLES}
        return {name.upper(): value for name, value in found.items() if value}

    def trusted_bundle(self) -> Path | None:
        """The CA bundle for image builds: the one that was set, or the host's own."""
        candidates = (self.ca_bundle, *HOST_CA_BUNDLES)
        return next((path for path in candidates if path is not None and path.is_file()), None)
