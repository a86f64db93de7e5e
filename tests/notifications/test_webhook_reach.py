"""Whoever may manage webhooks and reaches some projects only gets no news of the others by one."""

from __future__ import annotations

import pytest
from django.urls import reverse

from apps.accounts.models import User
from apps.core.exceptions import Problem
from apps.notifications import services
from apps.notifications.models import Webhook
from apps.orgs import overrides
from apps.orgs.models import PermissionOverride
from apps.orgs.project_roles import set_team_role
from tests.api.conftest import make_program
from tests.factories import make_project

URL = "https://127.0.0.1:9/hook"


@pytest.fixture
def bob(cast) -> User:
    """A developer who may manage webhooks by an exception."""
    overrides.set_override(
        organization=cast.acme,
        user=cast.bob,
        code="org.webhooks.manage",
        effect=PermissionOverride.Effect.GRANT,
        actor=cast.alice,
    )
    return User.objects.get(pk=cast.bob.pk)


@pytest.fixture
def secret(cast):
    """A project that Bob does not see."""
    project = make_project(cast.acme, "Secret")
    set_team_role(team=cast.crew, project=project, role=None, actor=cast.alice)
    return project


@pytest.fixture
def shop(cast):
    return make_project(cast.acme, "Shop")


def create(cast, actor, project=None, name="Hook"):
    return services.create_webhook(
        organization=cast.acme, name=name, url=URL, events=["deploy.failed"], actor=actor, project=project
    )[0]


def refused(call) -> None:
    with pytest.raises(Problem) as caught:
        call()
    assert (caught.value.code, caught.value.http_status) == ("notifications.beyond_own_projects", 403)


def test_a_webhook_is_made_for_what_is_seen(cast, bob, secret, shop):
    refused(lambda: create(cast, bob))
    refused(lambda: create(cast, bob, secret))
    assert create(cast, bob, shop).project == shop
    assert create(cast, cast.anna, name="All").project is None


def test_who_is_kept_from_one_project_makes_none_for_all(cast, sign_in, secret, shop):
    """An Admin sees every project but one: by a webhook for all of them she would hear of that one."""
    theirs = create(cast, cast.alice, name="All")
    overrides.set_override(
        organization=cast.acme,
        user=cast.anna,
        code="project.view",
        effect=PermissionOverride.Effect.DENY,
        actor=cast.alice,
        project_id=secret.pk,
    )
    anna = User.objects.get(pk=cast.anna.pk)
    refused(lambda: create(cast, anna))
    refused(lambda: create(cast, anna, secret))
    refused(lambda: services.rotate_secret(webhook=theirs, actor=anna))
    mine = create(cast, anna, shop, "Mine")
    refused(lambda: services.update_webhook(webhook=mine, actor=anna, project=None))
    client = sign_in(anna)
    assert client.get(reverse("notifications:webhook", args=["acme", theirs.pk])).status_code == 403
    assert client.get(reverse("notifications:webhook", args=["acme", mine.pk])).status_code == 200


def test_it_is_not_widened_nor_turned_elsewhere(cast, bob, secret, shop):
    mine, theirs = create(cast, bob, shop), create(cast, cast.alice, name="All")
    for project in (None, secret):
        refused(lambda project=project: services.update_webhook(webhook=mine, actor=bob, project=project))
    refused(lambda: services.update_webhook(webhook=theirs, actor=bob, url="https://127.0.0.1:10/mine"))
    refused(lambda: services.update_webhook(webhook=theirs, actor=bob, project=shop))
    refused(lambda: services.rotate_secret(webhook=theirs, actor=bob))
    assert services.update_webhook(webhook=mine, actor=bob, name="Mine").name == "Mine"
    assert Webhook.objects.get(pk=theirs.pk).url == URL


def test_pages_and_api_show_no_log_of_it(cast, sign_in, bob, secret, shop):
    theirs, mine = create(cast, cast.alice, secret, "Theirs"), create(cast, bob, shop, "Mine")
    client, program = sign_in(bob), make_program(cast.acme, bob)
    for webhook, status in ((theirs, 403), (mine, 200)):
        assert client.get(reverse("notifications:webhook", args=["acme", webhook.pk])).status_code == status
        assert client.get(reverse("notifications:webhook_edit", args=["acme", webhook.pk])).status_code == status
        assert program.get(f"/webhooks/{webhook.pk}/deliveries").status_code == status
    page = client.get(reverse("notifications:webhooks", args=["acme"]))
    assert page.status_code == 200
    assert "Mine" in page.content.decode()
    assert "Theirs" not in page.content.decode()
    assert [one["name"] for one in program.get("/webhooks").json()["results"]] == ["Mine"]
    assert program.post("/webhooks", {"name": "All", "url": URL, "events": ["deploy.failed"]}).status_code == 403
