"""Tests of app/settings.py."""

from pathlib import Path

import pytest

from app.settings import HOST_CA_BUNDLES, Settings


def test_each_setting_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOUNDSTAGE_HOME", str(tmp_path))
    monkeypatch.setenv("SOUNDSTAGE_MODEL", "some-model")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-fake")
    settings = Settings()
    assert settings.home == tmp_path
    assert settings.soundstage_model == "some-model"
    assert settings.openai_api_key is not None
    assert "sk-fake" not in repr(settings)


def test_a_named_file_of_models_goes_before_the_one_in_the_home(tmp_path: Path) -> None:
    named, own = tmp_path / "named.toml", tmp_path / "models.toml"
    assert Settings(soundstage_home=tmp_path).models_file is None
    own.write_text("")
    assert Settings(soundstage_home=tmp_path).models_file == own
    assert Settings(soundstage_home=tmp_path, soundstage_models_file=named).models_file == named


def test_other_variables_do_not_leak_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOUNDSTAGE_HOME", raising=False)
    monkeypatch.setenv("MODEL", "another")
    monkeypatch.setenv("CA_BUNDLE", "/nowhere")
    settings = Settings()
    assert settings.home == Path.home() / ".local" / "share" / "soundstage"
    assert settings.soundstage_model is None


def test_two_homes_have_two_ids(tmp_path: Path) -> None:
    first, second = Settings(soundstage_home=tmp_path / "a"), Settings(soundstage_home=tmp_path / "b")
    assert first.home_id != second.home_id
    assert first.home_id == Settings(soundstage_home=tmp_path / "a").home_id


def test_builds_are_told_of_proxies_and_indexes_and_of_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://proxy.example.invalid:3128")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-fake")
    assert Settings(pip_extra_index_url=None).build_arguments == {"HTTPS_PROXY": "http://proxy.example.invalid:3128"}


def test_the_named_ca_bundle_goes_before_the_hosts(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("x")
    assert Settings(soundstage_ca_bundle=bundle).trusted_bundle() == bundle
    missing = Settings(
        soundstage_ca_bundle=tmp_path / "nope", pip_cert=None, requests_ca_bundle=None, ssl_cert_file=None
    ).trusted_bundle()
    assert missing is None or missing in HOST_CA_BUNDLES
