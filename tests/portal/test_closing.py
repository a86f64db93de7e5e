"""An organization is deleted after seven days, with everything in it and nothing beside it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied

from apps.accounts.models import User
from apps.audit.models import Event
from apps.core import clock
from apps.core.exceptions import Conflict, Problem
from apps.environments.models import Environment
from apps.operations.models import Operation
from apps.orgs import leaving, members
from apps.orgs.models import Membership, Organization
from apps.orgs.querysets import TenantQuerySet
from apps.portal.tasks import delete_organizations
from tests.browser.scene import build_scene
from tests.factories import make_environment, make_project, make_server

PAGE = "/o/acme/settings/delete/"


def later(days: float):
    return clock.freeze(clock.now() + timedelta(days=days))


def tenant_models():
    for model in apps.get_models():
        if isinstance(model._default_manager.all(), TenantQuerySet):
            yield model


def test_only_the_owner_wishes_it_and_types_the_name(cast, sign_in):
    assert sign_in(cast.anna).post(PAGE, {"confirm_name": "Acme"}).status_code == 403
    assert sign_in(cast.charlie).post(PAGE, {"confirm_name": "Acme"}).status_code == 404
    alice = sign_in(cast.alice)
    assert alice.post(PAGE, {"confirm_name": "acme"}).status_code == 422
    assert alice.post(PAGE, {"confirm_name": "Acme"}).status_code == 302
    cast.acme.refresh_from_db()
    assert cast.acme.is_leaving
    assert "will be deleted" in alice.get("/o/acme/").content.decode()


def test_what_runs_is_named_and_comes_first(cast, sign_in):
    make_environment(make_project(cast.acme, name="Shop"), name="Front", status="running")
    with pytest.raises(Conflict) as caught:
        leaving.request_deletion(organization=cast.acme, confirmation="Acme", actor=cast.alice)
    assert "Shop · Front" in caught.value.title
    assert "Shop · Front" in sign_in(cast.alice).get(PAGE).content.decode()
    with pytest.raises(Problem):
        leaving.request_deletion(organization=cast.acme, confirmation="", actor=cast.alice)


def test_within_the_grace_period_it_can_be_kept(cast, sign_in):
    leaving.request_deletion(organization=cast.acme, confirmation="Acme", actor=cast.alice)
    with later(6.9):
        assert delete_organizations() == 0
        assert sign_in(cast.anna).post("/o/acme/settings/keep/").status_code == 403
        assert sign_in(cast.alice).post("/o/acme/settings/keep/").status_code == 302
    with later(8):
        assert delete_organizations() == 0
    assert Organization.objects.filter(pk=cast.acme.pk).exists()


def test_who_waited_for_the_lock_and_is_not_the_owner_any_more_changes_nothing(cast):
    """The person object still remembers what it could; the ownership was handed on meanwhile."""
    alice = User.objects.get(pk=cast.alice.pk)
    assert alice.has_perm("org.delete", cast.acme)
    heir = Membership.objects.get(organization=cast.acme, user=cast.anna)
    members.transfer_ownership(organization=cast.acme, to=heir, confirmation="Acme", actor=cast.alice)
    with pytest.raises(PermissionDenied):
        leaving.request_deletion(organization=cast.acme, confirmation="Acme", actor=alice)
    cast.acme.refresh_from_db()
    assert not cast.acme.is_leaving
    anna = User.objects.get(pk=cast.anna.pk)
    leaving.request_deletion(organization=cast.acme, confirmation="Acme", actor=anna)
    with pytest.raises(PermissionDenied):
        leaving.keep(organization=cast.acme, actor=alice)
    cast.acme.refresh_from_db()
    assert cast.acme.is_leaving
    assert not leaving.keep(organization=cast.acme, actor=anna).is_leaving


def test_a_second_wish_leaves_the_day(cast):
    first = leaving.request_deletion(organization=cast.acme, confirmation="Acme", actor=cast.alice)
    with later(3):
        second = leaving.request_deletion(organization=cast.acme, confirmation="Acme", actor=cast.alice)
    assert second.delete_after == first.delete_after


@pytest.mark.django_db
def test_everything_goes_and_nobody_else_loses_anything():
    scene = build_scene()
    acme, umbrella = scene.organization, scene.cast.umbrella
    make_environment(make_project(umbrella, name="Theirs"), server=make_server(umbrella))
    now = clock.now()
    Environment.objects.filter(project__organization=acme).update(status="deleted", purged_at=now)
    ended = {"finished_at": now, "lease_token": None, "lease_expires_at": None}
    Operation.objects.filter(organization=acme, finished_at=None).update(status="completed", **ended)
    theirs = {model: model._default_manager.in_organization(umbrella).count() for model in tenant_models()}
    leaving.request_deletion(organization=acme, confirmation=acme.name, actor=scene.cast.alice)
    with later(7.1):
        assert delete_organizations() == 1
    left = {model for model in tenant_models() if model._default_manager.in_organization(acme).exists()}
    assert left == set()
    assert {model: model._default_manager.in_organization(umbrella).count() for model in tenant_models()} == theirs
    assert Event.objects.filter(organization_id=acme.pk, action="organization.deleted").count() == 1
    assert not Membership.objects.filter(user=scene.cast.alice).exists()


def test_what_is_left_of_destroyed_environments_is_purged_first(cast):
    server = make_server(cast.acme)
    environment = make_environment(make_project(cast.acme), server=server)
    Environment.objects.filter(pk=environment.pk).update(status="deleted", destroyed_at=clock.now())
    leaving.request_deletion(organization=cast.acme, confirmation="Acme", actor=cast.alice)
    with later(7.1):
        assert delete_organizations() == 0
        assert delete_organizations() == 0  # a second round asks for no second purge
    assert Operation.objects.get(subject_id=environment.pk).kind == "environment.purge"
    assert Organization.objects.filter(pk=cast.acme.pk).exists()


def test_an_environment_that_came_since_stops_it(cast):
    project = make_project(cast.acme)
    leaving.request_deletion(organization=cast.acme, confirmation="Acme", actor=cast.alice)
    Organization.objects.filter(pk=cast.acme.pk).update(delete_after=None)
    make_environment(project)
    Organization.objects.filter(pk=cast.acme.pk).update(delete_after=clock.now())
    assert delete_organizations() == 0
    assert Environment.objects.count() == 1
