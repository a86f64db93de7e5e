"""The grammars of what people type about projects and repositories."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

from apps.core.validators import validate_address, validate_git_reference, validate_git_url

ENVIRONMENT_TYPES = ("development", "staging", "production")
# They are words in addresses of pages, or names which the platform keeps for itself under the base domain.
RESERVED_SLUGS = frozenset(
    {"admin", "api", "app", "apps", "assets", "auth", "create", "delete", "docs", "git", "help", "mail", "new"}
    | {"oecsh", "portal", "proxy", "registry", "root", "settings", "static", "status", "support", "system", "www"}
)
# One registry under several names.
DOCKER_HUB = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
_USER_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]*")
_MODULE_NAME = re.compile(r"[a-z][a-z0-9_]{0,126}", re.ASCII)
_DIRECTORY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")


def is_ssh_url(url: str) -> bool:
    """True for ssh:// and for user@host:path."""
    return url.startswith("ssh://") or "://" not in url


def validate_project_slug(value: str) -> None:
    """Refuses words that mean something else in addresses."""
    if value in RESERVED_SLUGS:
        raise ValidationError(f"“{value}” is a reserved word. Choose another one.")


def validate_user_name(value: str) -> None:
    """A user of a Git server."""
    if not _USER_NAME.fullmatch(value):
        raise ValidationError("Use letters, digits and . _ @ + -, not starting with a hyphen.")


def validate_subdirectory(value: str) -> None:
    """A relative folder inside a repository."""
    if not _DIRECTORY.fullmatch(value) or ".." in value.split("/"):
        raise ValidationError("Use a relative folder such as addons or src/modules.")


def validate_host_and_port(value: str) -> None:
    """host or host:port of a registry or a Git server."""
    host, colon, port = value.partition(":")
    validate_address(host)
    if colon and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValidationError("Use a port between 1 and 65535 after the colon.")


def registry_of(image: str) -> str:
    """The registry that an image's name leads to, as Docker reads it: `docker.io` where it names none."""
    first, slash, _ = image.partition("/")
    names_a_host = slash and ("." in first or ":" in first or first == "localhost")
    host = first.lower() if names_a_host else "docker.io"
    return "docker.io" if host in DOCKER_HUB else host


def validate_account_fits(image: str, host: str) -> None:
    """A password is sent to its own registry only: Docker would send it to any that the image's name leads to."""
    wanted = host.lower()
    if registry_of(image) != ("docker.io" if wanted in DOCKER_HUB else wanted):
        message = f"This account is for {host} only, and the image comes from {registry_of(image)}."
        raise ValidationError({"registry_account": message})


def validate_branch_map(value: object) -> None:
    """Branches by type of environment."""
    if not isinstance(value, dict) or not set(value) <= set(ENVIRONMENT_TYPES):
        raise ValidationError("Name branches for development, staging and production only.")
    for branch in value.values():
        if not isinstance(branch, str):
            raise ValidationError("A branch is a text.")
        validate_git_reference(branch)


def host_of(url: str) -> str:
    """host, or host:port where the port is not the usual one, of an http(s) address."""
    parts = urlsplit(url)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    name = (parts.hostname or "").lower()
    return name if parts.port in (None, usual) else f"{name}:{parts.port}"


def validate_credential_fits(url: str, kind: str, host: str) -> None:
    """A token is sent over HTTPS, to its own Git server only; a deploy key works over SSH only."""
    if kind == "ssh_key" and not is_ssh_url(url):
        raise ValidationError({"credential": "A deploy key needs an address such as git@host:path.git."})
    if kind == "token" and is_ssh_url(url):
        raise ValidationError({"credential": "An access token needs an address that starts with https://."})
    if kind == "token" and host_of(url) != host:
        raise ValidationError({"credential": f"This token is for {host} only. Add one for {host_of(url)}."})


def validate_module_names(value: object) -> None:
    """A list of technical names of Odoo modules."""
    if not isinstance(value, list) or not all(isinstance(name, str) and _MODULE_NAME.fullmatch(name) for name in value):
        raise ValidationError("List technical names of modules, such as sale_management.")
    if len(set(value)) != len(value) or len(value) > 500:
        raise ValidationError("Name each module once, and at most 500 of them.")


def validate_repository_url(value: str) -> None:
    """An address of a repository; nothing that opens it may stand in it, because addresses are shown and logged."""
    validate_git_url(value)
    if value.startswith(("https://", "http://")) and "@" in urlsplit(value).netloc:
        raise ValidationError("Leave the user name out of the address, and choose a credential instead.")


def validate_secret(value: str) -> None:
    """A token or password: long enough to be masked in logs, on one line, without spaces at its ends."""
    if len(value) < 4 or len(value) > 4096 or value != value.strip() or not value.isprintable():
        raise ValidationError("Enter a secret of 4 to 4096 printable characters, without spaces at its ends.")
