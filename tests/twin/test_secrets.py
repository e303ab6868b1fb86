"""Secrets come as files where a platform lays them, and are never said again."""

from pathlib import Path

import pytest

from layers.errors import SetupError
from twin.settings import read_settings

TOKEN = "0123456789abcdef0123"


def test_a_file_named_like_a_setting_is_that_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "twin_write_token").write_text(TOKEN)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.delenv("TWIN_WRITE_TOKEN", raising=False)
    settings = read_settings()
    assert settings.write_token is not None and settings.write_token.get_secret_value() == TOKEN
    assert TOKEN not in repr(settings)


def test_the_environment_goes_before_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "twin_write_token").write_text(TOKEN)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("TWIN_WRITE_TOKEN", TOKEN[::-1])
    settings = read_settings()
    assert settings.write_token is not None and settings.write_token.get_secret_value() == TOKEN[::-1]


def test_a_secret_that_is_not_valid_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_WRITE_TOKEN", "too short")
    with pytest.raises(SetupError, match="TWIN_WRITE_TOKEN") as caught:
        read_settings()
    assert "too short" not in str(caught.value)


@pytest.mark.parametrize("proxies", ["*", "everybody", "10.0.0.1; rm"])
def test_proxies_are_addresses(monkeypatch: pytest.MonkeyPatch, proxies: str) -> None:
    monkeypatch.setenv("TWIN_PROXIES", proxies)
    with pytest.raises(SetupError, match="TWIN_PROXIES"):
        read_settings()
