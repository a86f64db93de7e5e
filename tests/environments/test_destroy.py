"""Destroying takes an environment off its server and keeps its data; purging removes exactly that, later."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from apps.core import clock
from apps.core.exceptions import Conflict, Problem
from apps.environments.actions import destroy_environment, purge_expired, request_purge
from apps.environments.models import Environment, EnvironmentVariable
from apps.environments.signals import environment_deleted, environment_leaving
from apps.operations import services as operations
from apps.operations.models import Operation
from apps.servers import paths
from apps.servers.models import Server
from tests.factories import make_environment, make_project, make_server


def destroy(environment, cast, **more):
    values = {"confirmation": environment.name, "actor": cast.alice} | more
    return destroy_environment(environment=environment, **values)


@pytest.mark.lab
class TestOnTheServer:
    def test_all_of_it(self, cast, environment, containers, host, finish):
        heard = []
        told = lambda sender, **news: heard.append(sorted(set(news) - {"signal"}))  # noqa: E731
        environment_leaving.connect(told)
        environment_deleted.connect(told)
        EnvironmentVariable.objects.create(environment=environment, key="A", value="b")
        # An earlier operation has been on the server.
        Operation.objects.create(
            kind="environment.sync", title="x", subject_type="environments.environment", subject_id=environment.pk,
            organization=cast.acme, lock_key="x", status="completed", finished_at=clock.now(),
        )  # fmt: skip
        operation = destroy(environment, cast)
        environment.refresh_from_db()
        assert environment.status == "destroying"
        assert finish(operation).status == "completed"
        environment.refresh_from_db()
        assert (environment.status, environment.subnet) == ("deleted", "")
        assert environment.purge_after - environment.destroyed_at == timedelta(days=7)
        assert heard == [["environment", "host", "run"], ["environment"]]
        assert [one.name for one in host.docker.containers.list(all=True, ignore_removed=True)] == [paths.PROXY_NAME]
        assert host.docker.networks.list(names=[f"{environment.pk}_network"]) == []
        trash = paths.trash_directory() / str(environment.pk)
        assert host.files.read(trash / "data" / "precious") == b"precious"
        assert not host.files.exists(paths.environment_directory(environment.pk))

        other = paths.trash_directory() / "another"
        host.files.make_directory(other)
        with clock.freeze(clock.now() + timedelta(days=6)):
            assert purge_expired() == 0
        with clock.freeze(clock.now() + timedelta(days=8)):
            assert purge_expired() == 1
            assert purge_expired() == 0
        assert finish(Operation.objects.get(kind="environment.purge")).status == "completed"
        assert not host.files.exists(trash)
        assert host.files.exists(other)
        environment.refresh_from_db()
        assert environment.purged_at is not None
        assert environment.database_password == ""
        assert not environment.variables.exists()
        with clock.freeze(clock.now() + timedelta(days=9)):
            assert purge_expired() == 0

    def test_a_failure_is_an_error_and_destroying_again_goes_on(self, cast, environment, containers, finish):
        key = environment.server.host_key
        Server.objects.filter(pk=environment.server_id).update(host_key="ssh-ed25519 AAAA")
        Operation.objects.create(
            kind="environment.sync", title="x", subject_type="environments.environment", subject_id=environment.pk,
            organization=cast.acme, lock_key="x", status="completed", finished_at=clock.now(),
        )  # fmt: skip
        failed = finish(destroy(environment, cast))
        environment.refresh_from_db()
        assert (failed.status, environment.status) == ("failed", "error")
        assert environment.status_reason.startswith("Destroying failed:")
        Server.objects.filter(pk=environment.server_id).update(host_key=key)
        assert finish(operations.retry(operation=failed, user=cast.alice)).status == "completed"
        environment.refresh_from_db()
        assert environment.status == "deleted"


@pytest.mark.django_db(transaction=True)
class TestWithoutAServer:
    def test_one_that_was_never_deployed_asks_no_server(self, cast, finish):
        environment = make_environment(make_project(cast.acme), server=make_server(cast.acme))
        operation = finish(destroy(environment, cast))
        assert operation.status == "completed"
        assert {step.status for step in operation.steps.all()} == {"skipped"}
        environment.refresh_from_db()
        assert environment.status == "deleted"

    def test_one_without_a_server_leaves_nothing_to_purge(self, cast, finish):
        environment = make_environment(make_project(cast.acme))
        finish(destroy(environment, cast))
        environment.refresh_from_db()
        assert environment.purged_at is not None
        with pytest.raises(Conflict) as caught:
            request_purge(environment=environment, actor=cast.alice)
        assert caught.value.code == "environments.already_purged"

    def test_cancelling_in_time_brings_the_state_back(self, cast):
        environment = make_environment(make_project(cast.acme), server=make_server(cast.acme), status="stopped")
        operations.cancel(operation=destroy(environment, cast), user=cast.alice)
        environment.refresh_from_db()
        assert environment.status == "stopped"


class TestConfirming:
    @pytest.mark.parametrize("typed", ["", "shop", "SHOP-DEVELOPMENT-1", "shop-development-1 "])
    def test_the_name_is_typed(self, cast, typed):
        environment = make_environment(make_project(cast.acme))
        with pytest.raises(Problem) as caught:
            destroy(environment, cast, confirmation=typed)
        assert caught.value.code == "environments.confirmation_differs"

    def test_production_asks_for_more(self, cast):
        environment = make_environment(make_project(cast.acme), "production")
        with pytest.raises(Problem) as caught:
            destroy(environment, cast, confirmation=environment.host_name)
        assert caught.value.code == "environments.production_not_confirmed"
        with pytest.raises(Problem):
            destroy(environment, cast, understood=True)
        destroy(environment, cast, confirmation=environment.host_name, understood=True)

    def test_only_a_destroyed_one_is_purged(self, cast):
        environment = make_environment(make_project(cast.acme))
        with pytest.raises(Conflict) as caught:
            request_purge(environment=environment, actor=cast.alice)
        assert caught.value.code == "environments.action_not_allowed"


class TestPages:
    def test_destroying(self, cast, sign_in):
        environment = make_environment(make_project(cast.acme))
        url = reverse("environments:destroy", args=["acme", "shop", environment.slug])
        assert sign_in(cast.charlie).post(url).status_code == 404
        assert sign_in(cast.bob).post(url).status_code == 403
        client = sign_in(cast.alice)
        assert client.get(url).status_code == 405
        assert client.post(url, {"confirm_name": "x"}).status_code == 422
        assert client.post(url, {"confirm_name": environment.name}).status_code == 302
        assert client.post(url, {"confirm_name": environment.name}).status_code == 409

    def test_purging_before_the_time(self, cast, sign_in):
        environment = make_environment(make_project(cast.acme), server=make_server(cast.acme))
        url = reverse("environments:purge", args=["acme", "shop", environment.pk])
        client = sign_in(cast.alice)
        assert client.post(url).status_code == 404
        Environment.objects.filter(pk=environment.pk).update(status="deleted")
        assert sign_in(cast.charlie).post(url).status_code == 404
        assert sign_in(cast.bob).post(url).status_code == 403
        assert client.get(url).status_code == 405
        assert client.post(url).status_code == 302
        assert client.post(url).status_code == 409
