"""Where the client's key goes: to the address that it belongs to, and never in clear over a network."""

from __future__ import annotations

from pathlib import Path

import pytest
from oec import settings as stored
from oec.connection import Connection

HOME = stored.Settings("https://portal.example.com", "oec_live_rw_home")


@pytest.fixture(autouse=True)
def signed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`oec login` was done at HOME."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in (stored.URL_VARIABLE, stored.KEY_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    stored.store(HOME)


def test_what_is_stored_counts() -> None:
    assert stored.load() == HOME


def test_the_stored_key_does_not_go_to_another_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(stored.URL_VARIABLE, "https://other.example.com")
    with pytest.raises(stored.SettingsMissing, match="OEC_API_KEY"):
        stored.load()
    monkeypatch.setenv(stored.KEY_VARIABLE, "oec_live_rw_other")
    assert stored.load() == stored.Settings("https://other.example.com", "oec_live_rw_other")


def test_the_same_address_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(stored.URL_VARIABLE, f"{HOME.url}/")
    assert stored.load() == HOME


def test_another_key_for_the_stored_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(stored.KEY_VARIABLE, "oec_live_ro_second")
    assert stored.load() == stored.Settings(HOME.url, "oec_live_ro_second")


@pytest.mark.parametrize(
    "url",
    ["https://portal.example.com", "http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"],
)
def test_addresses_that_get_the_key(url: str) -> None:
    assert Connection(stored.Settings(url, "key")).settings.url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://portal.example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://10.0.0.1",
        "http://127.0.0.1@example.com",
        "ftp://127.0.0.1",
        "portal.example.com",
        "https://",
        "http://[::1",
    ],
)
def test_addresses_that_do_not(url: str) -> None:
    with pytest.raises(stored.SettingsMissing):
        Connection(stored.Settings(url, "key"))
