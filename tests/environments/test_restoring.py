"""A destroyed environment comes back during its grace period: its place, its address and its data."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from apps.audit.models import Event
from apps.core import clock
from apps.core.exceptions import Conflict
from apps.environments.actions import destroy_environment, purge_expired, request_deployment, request_purge
from apps.environments.models import Environment
from apps.environments.pipelines.restore import store_cancelled, store_failed, store_restored
from apps.environments.restoring import mark_restored, may_be_restored, request_restore
from apps.operations import services as operations
from apps.operations.models import Operation
from apps.orgs.models import Quota
from apps.servers import paths
from tests.factories import make_environment, make_project, make_server

SIZES = {"cpu": Decimal(1), "memory_megabytes": 1024, "disk_megabytes": 2048}


@pytest.fixture
def destroyed(cast):
    """One of Acme's that was destroyed an hour ago."""
    found = make_environment(make_project(cast.acme), server=make_server(cast.acme), **SIZES)
    now = clock.now()
    Environment.objects.filter(pk=found.pk).update(
        status="deleted",
        subnet="",
        addresses={},
        destroyed_at=now - timedelta(hours=1),
        purge_after=now + timedelta(days=6),
    )
    found.refresh_from_db()
    return found


def restore(environment, cast):
    return request_restore(environment=environment, actor=cast.alice)


@pytest.mark.django_db
class TestService:
    def test_its_place_is_its_own_from_the_request_on(self, cast, destroyed):
        operation = restore(destroyed, cast)
        destroyed.refresh_from_db()
        assert (operation.kind, destroyed.status) == ("environment.restore", "deploying")
        assert destroyed.subnet
        assert destroyed.addresses["db"]
        assert not may_be_restored(destroyed)
        event = Event.objects.get(action="environment.restore_requested")
        assert (str(event.target_id), event.after["host_name"]) == (str(destroyed.pk), destroyed.host_name)
        mark_restored(destroyed, has_data=True)
        destroyed.refresh_from_db()
        assert (destroyed.status, destroyed.purge_after, destroyed.destroyed_at) == ("stopped", None, None)
        assert destroyed.needs_redeploy

    def test_one_without_data_begins_anew(self, cast, destroyed):
        restore(destroyed, cast)
        destroyed.refresh_from_db()
        mark_restored(destroyed, has_data=False)
        destroyed.refresh_from_db()
        assert (destroyed.status, destroyed.needs_redeploy) == ("pending", False)

    @pytest.mark.parametrize("store", [store_failed, store_cancelled])
    def test_a_failure_leaves_it_destroyed_until_the_same_day(self, cast, destroyed, store):
        until = destroyed.purge_after
        operation = restore(destroyed, cast)
        operation.error = "It broke."
        store(operation)
        destroyed.refresh_from_db()
        assert (destroyed.status, destroyed.subnet, destroyed.purge_after) == ("deleted", "", until)
        assert may_be_restored(destroyed)

    def test_one_that_exists_is_not_brought_back(self, cast):
        environment = make_environment(make_project(cast.acme), server=make_server(cast.acme), status="running")
        with pytest.raises(Conflict) as caught:
            restore(environment, cast)
        assert caught.value.code == "environments.action_not_allowed"

    def test_twice_is_once(self, cast, destroyed):
        restore(destroyed, cast)
        with pytest.raises(Conflict):
            restore(destroyed, cast)
        assert Operation.objects.filter(kind="environment.restore").count() == 1

    @pytest.mark.parametrize(
        "gone", [{"purge_after": None}, {"purged_at": clock.now()}, {"purge_after": clock.now()}, {"server": None}]
    )
    def test_after_its_time_it_is_too_late(self, cast, destroyed, gone):
        Environment.objects.filter(pk=destroyed.pk).update(**gone)
        destroyed.refresh_from_db()
        with pytest.raises(Conflict) as caught:
            restore(destroyed, cast)
        assert caught.value.code == "environments.too_late"

    def test_not_while_it_is_purged(self, cast, destroyed):
        request_purge(environment=destroyed, actor=cast.alice)
        with pytest.raises(Conflict) as caught:
            restore(destroyed, cast)
        assert caught.value.code == "operations.task_in_progress"
        destroyed.refresh_from_db()
        assert (destroyed.status, destroyed.subnet) == ("deleted", "")

    def test_not_purged_while_it_is_brought_back(self, cast, destroyed):
        restore(destroyed, cast)
        with clock.freeze(clock.now() + timedelta(days=30)):
            assert purge_expired() == 0
        with pytest.raises(Conflict):
            request_purge(environment=destroyed, actor=cast.alice)

    def test_its_address_belongs_to_another_one_now(self, cast, destroyed):
        """Nobody is kept from their data: it gets the next free address, and that is said."""
        for number in range(2):
            other = make_environment(destroyed.project, "development")
            assert other.host_name == destroyed.host_name.replace(".", "-2." if number else ".", 1)
        former = destroyed.host_name
        operation = restore(destroyed, cast)
        destroyed.refresh_from_db()
        assert destroyed.host_name == former.replace(".", "-3.", 1)
        assert operation.parameters == {"former_host_name": former}
        event = Event.objects.get(action="environment.restore_requested")
        assert (event.before["host_name"], event.after["host_name"]) == (former, destroyed.host_name)
        operation.data = {"has_data": True}
        store_restored(operation)
        destroyed.refresh_from_db()
        assert f"Address {destroyed.host_name} instead of {former}" in destroyed.pending_changes

    def test_its_own_address_is_kept_where_it_is_free(self, cast, destroyed):
        former = destroyed.host_name
        assert restore(destroyed, cast).parameters == {"former_host_name": ""}
        destroyed.refresh_from_db()
        assert destroyed.host_name == former

    def test_an_address_of_an_earlier_base_domain_is_kept_too(self, cast, destroyed, settings):
        settings.BASE_DOMAIN = "elsewhere.example.com"
        restore(destroyed, cast)
        destroyed.refresh_from_db()
        assert not destroyed.host_name.endswith("elsewhere.example.com")

    def test_its_short_name_belongs_to_another_one_now(self, cast, destroyed):
        other = make_environment(destroyed.project, "staging")
        Environment.objects.filter(pk=other.pk).update(slug=destroyed.slug)
        other.refresh_from_db()
        restore(destroyed, cast)
        destroyed.refresh_from_db()
        assert destroyed.slug == f"{other.slug}-2"

    def test_a_full_server_refuses_it(self, cast, destroyed):
        make_environment(destroyed.project, "staging", server=destroyed.server, **SIZES)
        facts = destroyed.server.facts | {"memory_megabytes": 2048}
        type(destroyed.server).objects.filter(pk=destroyed.server_id).update(facts=facts)
        with pytest.raises(Conflict) as caught:
            restore(destroyed, cast)
        assert caught.value.code == "environments.over_capacity"
        destroyed.refresh_from_db()
        assert destroyed.status == "deleted"

    def test_a_server_that_is_not_ready_refuses_it(self, cast, destroyed):
        type(destroyed.server).objects.filter(pk=destroyed.server_id).update(status="disconnected")
        with pytest.raises(Conflict) as caught:
            restore(destroyed, cast)
        assert caught.value.code == "servers.not_ready"

    def test_a_quota_refuses_it(self, cast, destroyed):
        Quota.objects.update_or_create(organization=cast.acme, defaults={"environments": 0})
        with pytest.raises(Conflict) as caught:
            restore(destroyed, cast)
        assert caught.value.code == "orgs.quota_exceeded"


@pytest.mark.django_db
class TestPage:
    def url(self, environment):
        return reverse("environments:restore", args=["acme", "shop", environment.pk])

    def test_who_may(self, cast, sign_in, destroyed):
        assert sign_in(cast.charlie).post(self.url(destroyed)).status_code == 404
        assert sign_in(cast.vera).post(self.url(destroyed)).status_code == 403
        client = sign_in(cast.alice)
        assert client.get(self.url(destroyed)).status_code == 405
        answer = client.post(self.url(destroyed))
        assert (answer.status_code, answer.url) == (
            302,
            reverse("environments:overview", args=["acme", "shop", destroyed.slug]),
        )
        assert client.get(answer.url).status_code == 200
        assert client.post(self.url(destroyed)).status_code == 404

    def test_another_address_is_said(self, cast, sign_in, destroyed):
        other = make_environment(destroyed.project, "development")
        assert other.host_name == destroyed.host_name
        answer = sign_in(cast.alice).post(self.url(destroyed), follow=True)
        text = answer.content.decode()
        assert f"{other.host_name} belongs to another environment now" in text
        assert other.host_name.replace(".", "-2.", 1) in text

    def test_another_projects_environment_is_not_found(self, cast, sign_in, destroyed):
        make_project(cast.acme, slug="other")
        url = reverse("environments:restore", args=["acme", "other", destroyed.pk])
        assert sign_in(cast.alice).post(url).status_code == 404

    def test_the_projects_page_offers_it_until_its_time(self, cast, sign_in, destroyed):
        page = reverse("environments:stages", args=["acme", "shop"])
        text = sign_in(cast.alice).get(page).content.decode()
        assert self.url(destroyed) in text
        assert "Can be brought back until" in text
        assert "Delete for good now" in text
        assert self.url(destroyed) not in sign_in(cast.vera).get(page).content.decode()
        Environment.objects.filter(pk=destroyed.pk).update(purge_after=clock.now())
        text = sign_in(cast.alice).get(page).content.decode()
        assert self.url(destroyed) not in text
        assert "Delete for good now" in text


@pytest.mark.lab
class TestOnTheServer:
    def test_there_and_back(self, cast, environment, containers, host, finish):
        Operation.objects.create(
            kind="environment.sync", title="x", subject_type="environments.environment", subject_id=environment.pk,
            organization=cast.acme, lock_key="x", status="completed", finished_at=clock.now(),
        )  # fmt: skip
        for _ in range(2):
            gone = destroy_environment(environment=environment, confirmation=environment.name, actor=cast.alice)
            assert finish(gone).status == "completed"
            environment.refresh_from_db()
            assert environment.status == "deleted"
            assert finish(restore(environment, cast)).status == "completed"
            environment.refresh_from_db()
            assert environment.status == "stopped"
            folder = paths.environment_directory(environment.pk)
            assert host.files.read(folder / "data" / "precious") == b"precious"
            assert not host.files.exists(paths.trash_directory() / str(environment.pk))

    def test_data_that_somebody_has_removed(self, cast, environment, containers, host, finish):
        Operation.objects.create(
            kind="environment.sync", title="x", subject_type="environments.environment", subject_id=environment.pk,
            organization=cast.acme, lock_key="x", status="completed", finished_at=clock.now(),
        )  # fmt: skip
        finish(destroy_environment(environment=environment, confirmation=environment.name, actor=cast.alice))
        host.files.remove_tree(paths.trash_directory() / str(environment.pk))
        environment.refresh_from_db()
        failed = finish(restore(environment, cast))
        environment.refresh_from_db()
        assert (failed.status, failed.error_code) == ("failed", "environments.data_is_gone")
        assert (environment.status, environment.subnet) == ("deleted", "")
        assert environment.status_reason.startswith("Bringing it back failed")
        assert operations.retry(operation=failed, user=cast.alice).status == "queued"

    def test_one_that_never_came_to_its_server_is_pending_again(self, cast, server, host, finish):
        environment = make_environment(make_project(cast.acme), server=server)
        finish(destroy_environment(environment=environment, confirmation=environment.name, actor=cast.alice))
        environment.refresh_from_db()
        assert finish(restore(environment, cast)).status == "completed"
        environment.refresh_from_db()
        assert environment.status == "pending"
        assert request_deployment(environment=environment, actor=cast.alice)
