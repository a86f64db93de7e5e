"""Names of environments: their host name is unique on the whole platform, and stays.

`{project}-{type}` under the base domain for the first, then `-2`, `-3`. Where another organization has a project of
the same short name, the organization's short name stands in front.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from apps.environments.models import Environment
from apps.platform.current import current
from apps.projects.models import Project

LONGEST_LABEL = 63
# A name of the platform itself is never given to an environment.
RESERVED_LABELS = frozenset({"www", "mail", "portal", "admin", "api", "proxy", "registry", "status", "_acme-challenge"})
# Words in addresses of a project's pages.
RESERVED_SLUGS = frozenset({"new", "settings", "repositories", "destroyed", "commits", "branches", "preview"})
_HASH_LENGTH = 6
_NUMBER_ROOM = 5


def host_names(project: Project, environment_type: str) -> Iterator[tuple[int, str]]:
    """Candidates in their order, without end: (number, host name). Whoever stores one first has it."""
    label = _label(project, environment_type)
    number = 0
    while True:
        number += 1
        candidate = label if number == 1 else f"{label}-{number}"
        if candidate not in RESERVED_LABELS:
            yield number, f"{candidate}.{current().base_domain}"


def free_host_name(project: Project, environment_type: str) -> str:
    """The first candidate that no environment has now. Another one may take it before this one is stored: the
    constraint decides, and the caller asks again."""
    label = _label(project, environment_type)
    taken = set(
        Environment.objects.existing()
        .filter(host_name__startswith=label, host_name__endswith=f".{current().base_domain}")
        .values_list("host_name", flat=True)
    )
    return next(name for _, name in host_names(project, environment_type) if name not in taken)


def free_slug(project: Project, environment_type: str, wanted: str = "") -> str:
    """A short name that is free in the project: `staging`, `staging-2`, …"""
    base = (wanted or environment_type)[: LONGEST_LABEL - _NUMBER_ROOM].strip("-")
    taken = set(Environment.objects.existing().filter(project=project).values_list("slug", flat=True)) | RESERVED_SLUGS
    number, slug = 1, base
    while slug in taken:
        number += 1
        slug = f"{base}-{number}"
    return slug


def default_name(project: Project, environment_type: str) -> str:
    """`my-project-development-1`, with the first free number."""
    taken = set(Environment.objects.existing().filter(project=project).values_list("name", flat=True))
    base, number = f"{project.slug}-{environment_type}", 1
    while f"{base}-{number}" in taken:
        number += 1
    return f"{base}-{number}"


def _label(project: Project, environment_type: str) -> str:
    slug = project.slug
    if Project.objects.filter(slug=slug).exclude(organization=project.organization_id).exists() and not _holds(project):
        slug = f"{project.organization.slug}-{slug}"
    return _shorten(f"{slug}-{environment_type}")


def _holds(project: Project) -> bool:
    """True for the project that had its short name first: a later namesake elsewhere does not rename it."""
    namesakes = Project.objects.filter(slug=project.slug).order_by("created_at", "pk")
    return namesakes.values_list("pk", flat=True).first() == project.pk


def _shorten(label: str) -> str:
    """At most 63 characters with room for a number; what is cut off lives on in a hash, so that two stay two."""
    longest = LONGEST_LABEL - _NUMBER_ROOM
    if len(label) <= longest:
        return label
    digest = hashlib.sha256(label.encode()).hexdigest()[:_HASH_LENGTH]
    return f"{label[: longest - _HASH_LENGTH - 1].rstrip('-')}-{digest}"
