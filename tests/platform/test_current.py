"""What staff set counts; what they leave empty is as the installation's environment says."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction

from apps.core.request_context import RequestContext, within
from apps.domains.base_domains import default_base_domain
from apps.environments.naming import host_names
from apps.platform.current import current, odoo_image, offered_versions, postgres_image
from apps.platform.mail import with_sender
from apps.platform.models import OdooSeries, PlatformRepository, PlatformSettings
from apps.projects.services import create_project, update_project
from tests.factories import make_project

pytestmark = pytest.mark.django_db


def test_without_a_row_the_environment_says(settings):
    settings.BASE_DOMAIN = "apps.example.test"
    settings.ENVIRONMENTS_PER_SERVER = 7
    assert (current().base_domain, current().environments_per_server) == ("apps.example.test", 7)
    assert current().destroyed_retention == settings.DESTROYED_RETENTION
    assert current().audit_retention == timedelta(days=365)


def test_what_staff_set_counts(settings):
    settings.BASE_DOMAIN = "apps.example.test"
    PlatformSettings.objects.create(
        base_domain="cloud.example.test", destroyed_retention_days=0, server_reserved_megabytes=0
    )
    assert current().base_domain == "cloud.example.test"
    assert current().destroyed_retention == timedelta(0)
    assert current().server_reserved_megabytes == 0
    assert current().environments_per_server == settings.ENVIRONMENTS_PER_SERVER
    assert default_base_domain().name == "cloud.example.test"


def test_it_is_asked_once_for_each_request(django_assert_num_queries):
    with within(RequestContext()), django_assert_num_queries(1):
        assert current() == current()


def test_there_is_one_row():
    PlatformSettings.objects.create()
    with pytest.raises(IntegrityError), transaction.atomic():
        PlatformSettings.objects.create(id=2)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("base_domain", "Not a domain"),
        ("base_domain", "https://example.test"),
        ("acme_directory_url", "http://insecure.example/directory"),
        ("acme_directory_url", "javascript:alert(1)"),
        ("acme_contact", "nobody"),
        ("mail_sender", "OEC.SH"),
        ("mail_sender", "a@example.com\nBcc: everybody@example.com"),
        ("environments_per_server", 0),
        ("environments_per_server", 501),
        ("server_reserved_megabytes", 70000),
        ("destroyed_retention_days", 366),
        ("audit_retention_days", 29),
    ],
)
def test_bad_settings_are_refused(field, value):
    with pytest.raises(ValidationError) as caught:
        PlatformSettings(**{field: value}).full_clean()
    assert field in caught.value.message_dict


def test_mails_leave_with_the_platforms_sender(settings):
    PlatformSettings.objects.create(mail_sender="Hosting <hosting@example.test>")
    plain, own = EmailMessage("s", "b", to=["a@example.com"]), EmailMessage("s", "b", "own@example.com", ["a@b.test"])
    plain.from_email = settings.DEFAULT_FROM_EMAIL = "OEC.SH <no-reply@localhost>"
    branded = EmailMessage("s", "b", "Acme via OEC.SH <no-reply@localhost>")
    with_sender([plain, own, branded])
    assert branded.message()["From"] == '"Acme via OEC.SH" <hosting@example.test>'
    assert plain.message()["From"] == "Hosting <hosting@example.test>"
    assert own.message()["From"] == "own@example.com"


def test_every_version_has_its_row():
    assert set(OdooSeries.objects.values_list("version", flat=True)) == {f"{n}.0" for n in range(14, 20)}
    assert OdooSeries.objects.get(version="14.0").is_end_of_life
    assert not OdooSeries(version="19.0", supported_until=date(2999, 1, 1)).is_end_of_life


def test_what_is_offered(cast):
    OdooSeries.objects.filter(version="15.0").update(is_offered=False)
    offered = dict(offered_versions())
    assert "15.0" not in offered
    assert "end of life" in offered["14.0"]
    assert next(iter(offered)) == "19.0"
    assert "15.0" in dict(offered_versions(besides="15.0"))
    OdooSeries.objects.all().delete()
    assert len(offered_versions()) == 6


def test_no_new_project_on_a_version_that_is_not_offered(cast, sign_in):
    kept = make_project(cast.acme, "Old", odoo_version="15.0")
    other = make_project(cast.acme, "Other")
    OdooSeries.objects.filter(version="15.0").update(is_offered=False)
    with pytest.raises(ValidationError, match="not offered"):
        create_project(organization=cast.acme, name="New", odoo_version="15.0", actor=cast.alice)
    with pytest.raises(ValidationError, match="not offered"):
        update_project(project=other, actor=cast.alice, odoo_version="15.0")
    update_project(project=kept, actor=cast.alice, odoo_version="15.0", name="Renamed")
    client = sign_in(cast.alice)
    assert b'value="15.0"' not in client.get("/o/acme/projects/new/").content
    assert client.post("/o/acme/projects/new/", {"name": "New", "odoo_version": "15.0"}).status_code == 422
    assert b'value="15.0"' in client.get(f"/o/acme/p/{kept.slug}/settings/").content


def test_images_of_a_version(settings):
    settings.ODOO_IMAGE = "odoo:{version}"
    assert odoo_image("19.0") == "odoo:19.0"
    assert postgres_image("19.0") == settings.POSTGRES_IMAGES["19.0"]
    OdooSeries.objects.filter(version="19.0").update(image="registry.example/odoo:19", postgres_image="postgres:18")
    assert (odoo_image("19.0"), postgres_image("19.0")) == ("registry.example/odoo:19", "postgres:18")
    with pytest.raises(KeyError):
        postgres_image("13.0")


@pytest.mark.parametrize(
    "branches", [{}, [], {"13.0": "13.0"}, {"19.0": "-x"}, {"19.0": 19}, {"19.0": "a..b"}, "19.0", None]
)
def test_a_version_map_names_versions_and_branches(branches):
    repository = PlatformRepository(
        name="Extra", slug="extra", url="https://git.example.com/x.git", branch_map=branches
    )
    with pytest.raises(ValidationError) as caught:
        repository.full_clean()
    assert "branch_map" in caught.value.message_dict


def test_a_platform_repository():
    repository = PlatformRepository(
        name="Extra", slug="extra", url="https://git.example.com/x.git", branch_map={"19.0": "main"}
    )
    repository.full_clean()
    assert (repository.branch_for("19.0"), repository.branch_for("18.0")) == ("main", "")


def test_new_names_lie_under_the_new_domain(cast):
    PlatformSettings.objects.create(base_domain="cloud.example.test")
    project = make_project(cast.acme)
    _, name = next(iter(host_names(project, "production")))
    assert name.endswith(".cloud.example.test")
