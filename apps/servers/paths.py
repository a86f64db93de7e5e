"""Where things lie on a server. Names come from ids and commits, never from what people type; the one exception is the
short name that platform staff give a repository, which is letters, digits and hyphens."""

from __future__ import annotations

import uuid
from pathlib import PurePosixPath

from apps.core.validators import validate_slug

ROOT = PurePosixPath("/opt/oecsh")
PROXY_NAME = "oecsh_proxy"
ACME_NAME = "oecsh_acme"
PROXY_NETWORK = "oecsh_proxy"


def owner_file() -> PurePosixPath:
    """Says whose the machine is: see `owner.py`."""
    return ROOT / "owner"


def proxy_directory() -> PurePosixPath:
    """The proxy's own folder: `traefik.yml`, `dynamic/`, `challenges/`, `certificates/`."""
    return ROOT / "proxy"


def proxy_configuration_file() -> PurePosixPath:
    return proxy_directory() / "traefik.yml"


def routes_directory() -> PurePosixPath:
    """Watched by the proxy: one file per environment, and the certificates' list."""
    return proxy_directory() / "dynamic"


def certificates_directory() -> PurePosixPath:
    """Certificates and their keys, read by the proxy."""
    return proxy_directory() / "certificates"


def challenges_directory() -> PurePosixPath:
    """Served by the responder as `/.well-known/acme-challenge/`: one file per token."""
    return proxy_directory() / "challenges"


def environments_directory() -> PurePosixPath:
    return ROOT / "envs"


def environment_directory(environment_id: uuid.UUID) -> PurePosixPath:
    """Everything of one environment: its data, configuration and logs."""
    return environments_directory() / str(environment_id)


def trash_directory() -> PurePosixPath:
    """Where destroyed environments wait for the end of their grace period."""
    return ROOT / "trash"


def seeds_directory() -> PurePosixPath:
    return ROOT / "seeds"


def organization_directory(organization_id: uuid.UUID) -> PurePosixPath:
    """Source code of an organization's projects, one folder per repository and commit inside."""
    return ROOT / f"org_{organization_id}"


def platform_directory() -> PurePosixPath:
    """Source code that the platform brings for everybody."""
    return ROOT / "platform"


def platform_repository_directory(slug: str) -> PurePosixPath:
    """A repository of the platform, one folder per commit inside. Raises ValidationError for anything but a slug."""
    validate_slug(slug)
    return platform_directory() / slug
