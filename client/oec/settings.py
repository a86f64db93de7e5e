"""Where the platform is, and the key to it: from the environment, or else from a file that `oec login` wrote."""

from __future__ import annotations

import ipaddress
import json
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

URL_VARIABLE, KEY_VARIABLE = "OEC_URL", "OEC_API_KEY"


class SettingsMissing(Exception):
    """Nobody has signed in yet, or what is set is of no use."""


def ensure_safe(url: str) -> None:
    """Raises SettingsMissing for an address to which the key would travel in clear: http is for this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError as error:
        raise SettingsMissing(f"{url} is no address: {error}") from error
    if not host or parts.scheme not in ("http", "https"):
        raise SettingsMissing(f"{url} is no address: it begins with https://.")
    if parts.scheme == "http" and not _is_this_machine(host):
        raise SettingsMissing(f"{url} would get the key in clear. Use https://.")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


@dataclass(frozen=True)
class Settings:
    """`url` is the portal's address without a path."""

    url: str
    api_key: str


def settings_file() -> Path:
    """The file that `oec login` writes; `XDG_CONFIG_HOME` counts."""
    return Path(platformdirs.user_config_dir("oec")) / "settings.json"


def load() -> Settings:
    """What counts now; the stored key is only for the address that it was stored with. Raises SettingsMissing."""
    kept = _read(settings_file()) if settings_file().exists() else Settings("", "")
    url = os.environ.get(URL_VARIABLE, kept.url).rstrip("/")
    key = os.environ.get(KEY_VARIABLE, "")
    if not key and kept.api_key:
        if url != kept.url:
            raise SettingsMissing(f"The stored key is for {kept.url}. For {url} set {KEY_VARIABLE}, or sign in there.")
        key = kept.api_key
    if not url or not key:
        raise SettingsMissing(f"Sign in first: oec login --url https://…, or set {URL_VARIABLE} and {KEY_VARIABLE}.")
    return Settings(url, key)


def store(settings: Settings) -> Path:
    """Writes the file, which nobody else may read."""
    path = settings_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"portal_url": settings.url, "api_key": settings.api_key}, file)
    part.replace(path)
    return path


def read_file(path: Path) -> Settings:
    """Settings of a JSON file with `portal_url` and `api_key`, such as the demo's. Raises SettingsMissing."""
    settings = _read(path)
    if not settings.url or not settings.api_key:
        raise SettingsMissing(f"{path} has no portal_url and api_key.")
    return settings


def _read(path: Path) -> Settings:
    try:
        content = json.loads(path.read_text())
        return Settings(str(content.get("portal_url", "")).rstrip("/"), str(content.get("api_key", "")))
    except (OSError, ValueError, AttributeError) as error:
        raise SettingsMissing(f"{path} cannot be read: {error}") from error
