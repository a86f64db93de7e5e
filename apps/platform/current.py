"""The platform's settings as they are now: what staff set, else what the installation's environment says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from apps.core import request_context
from apps.platform.models import SINGLETON, EnvironmentSize, OdooSeries, PlatformSettings

_SETTINGS, _SERIES, _SIZES = "platform.settings", "platform.series", "platform.sizes"


@dataclass(frozen=True)
class Current:
    """Megabytes are 2**20 bytes."""

    base_domain: str
    acme_directory_url: str
    acme_contact: str
    mail_sender: str
    environments_per_server: int
    server_reserved_megabytes: int
    destroyed_retention: timedelta
    audit_retention: timedelta


def current() -> Current:
    """One query, asked once for each request."""
    row = request_context.remembered(_SETTINGS, _stored)
    retention = row.destroyed_retention_days
    return Current(
        base_domain=row.base_domain or settings.BASE_DOMAIN,
        acme_directory_url=row.acme_directory_url or settings.ACME_DIRECTORY_URL,
        acme_contact=row.acme_contact or settings.ACME_CONTACT,
        mail_sender=row.mail_sender or settings.DEFAULT_FROM_EMAIL,
        environments_per_server=_chosen(row.environments_per_server, settings.ENVIRONMENTS_PER_SERVER),
        server_reserved_megabytes=_chosen(row.server_reserved_megabytes, settings.SERVER_RESERVED_MEGABYTES),
        destroyed_retention=settings.DESTROYED_RETENTION if retention is None else timedelta(days=retention),
        audit_retention=timedelta(days=row.audit_retention_days),
    )


def forget() -> None:
    """After a change within a request."""
    request_context.forget(_SETTINGS)
    request_context.forget(_SERIES)
    request_context.forget(_SIZES)


def environment_size(environment_type: str) -> EnvironmentSize:
    """What staff said of new environments of a type; asked once for each request. Empty where nobody said anything."""
    sizes = request_context.remembered(_SIZES, _stored_sizes)
    return sizes.get(environment_type) or EnvironmentSize(environment_type=environment_type)


def all_series() -> dict[str, OdooSeries]:
    """What staff said of the versions of Odoo, the newest first; asked once for each request."""
    return request_context.remembered(_SERIES, lambda: {series.version: series for series in OdooSeries.objects.all()})


def offered_versions(*, besides: str = "") -> list[tuple[str, str]]:
    """Version and label of what a new project can choose, the newest first; `besides` is offered in any case (a
    project's own). A version of which nobody said anything is offered."""
    known = all_series()
    every = [known.get(version) or OdooSeries(version=version) for version in sorted(settings.POSTGRES_IMAGES)[::-1]]
    return [(one.version, one.label) for one in every if one.is_offered or one.version == besides]


def odoo_image(version: str) -> str:
    """The official image of a version."""
    series = all_series().get(version)
    return (series.image if series else "") or settings.ODOO_IMAGE.format(version=version)


def postgres_image(version: str) -> str:
    """The PostgreSQL for a version. Raises KeyError for a version that the platform does not run."""
    series = all_series().get(version)
    return (series.postgres_image if series else "") or settings.POSTGRES_IMAGES[version]


def _stored() -> PlatformSettings:
    return PlatformSettings.objects.filter(pk=SINGLETON).first() or PlatformSettings()


def _stored_sizes() -> dict[str, EnvironmentSize]:
    return {size.environment_type: size for size in EnvironmentSize.objects.all()}


def _chosen(value: int | None, usual: int) -> int:
    return usual if value is None else value
