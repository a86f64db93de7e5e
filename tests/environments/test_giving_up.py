"""A server that is gone for good: what was on it is given up without it, and everything that it held is free."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from apps.audit.models import Event
from apps.core import clock
from apps.core.exceptions import Conflict, Problem
from apps.domains.models import DnsProvider, DnsRecord, Route
from apps.environments.actions import request_action
from apps.environments.capacity import server_capacity
from apps.environments.models import Environment, EnvironmentVariable, Status
from apps.operations import services as operations
from apps.operations.models import Operation
from apps.servers import services as servers
from apps.servers.giving_up import expected_phrase, give_up_server
from apps.servers.models import Server
from tests.cast import Cast
from tests.factories import make_environment, make_project, make_server

HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIII"


@pytest.fixture
def server(cast: Cast) -> Server:
    """Prepared once, and silent since. It was ready while environments were placed on it."""
    return make_server(cast.acme, name="Web", slug="web", host_key=HOST_KEY, bootstrapped_at=clock.now())


@pytest.fixture
def lost(server: Server, cast: Cast) -> list[Environment]:
    """A running one, one that was never deployed, and one that waits to be purged; then the server went away."""
    project = make_project(cast.acme)
    found = [make_environment(project, server=server, status=status) for status in ("running", "pending", "stopped")]
    Environment.objects.filter(pk=found[2].pk).update(
        status="deleted", subnet="", addresses={}, destroyed_at=clock.now(), purge_after=clock.now()
    )
    Server.objects.filter(pk=server.pk).update(status="unreachable", facts={})
    server.refresh_from_db()
    return found


def give_up(server: Server, cast: Cast, phrase: str = "Web is gone for good") -> list[str]:
    return give_up_server(server=server, phrase=phrase, actor=cast.alice)


@pytest.mark.django_db
class TestGivingUp:
    def test_everything_is_marked_and_released(self, server: Server, lost: list[Environment], cast: Cast) -> None:
        EnvironmentVariable.objects.create(environment=lost[0], key="TOKEN", value="secret")
        assert sorted(give_up(server, cast)) == sorted(environment.name for environment in lost)
        for environment in lost:
            environment.refresh_from_db()
            assert (environment.status, environment.subnet, environment.addresses) == ("deleted", "", {})
            assert environment.purged_at is not None
            assert environment.database_password == environment.admin_password == ""
        assert not EnvironmentVariable.objects.exists()
        assert all(resource.allocated == 0 for resource in server_capacity(server))
        again = make_environment(lost[0].project)
        assert again.host_name == lost[0].host_name, "the name is free"

    def test_it_is_written_down_with_who_did_it(self, server, lost, cast: Cast) -> None:
        give_up(server, cast)
        event = Event.objects.get(action="server.given_up")
        assert event.actor_id == cast.alice.pk
        assert lost[0].name in event.after["given_up"]
        given_up = Event.objects.filter(action="environment.given_up")
        assert {event.target_id for event in given_up} == {environment.pk for environment in lost}

    def test_nothing_connects_until_a_person_lets_it(self, server: Server, lost, cast: Cast) -> None:
        give_up(server, cast)
        server.refresh_from_db()
        assert (server.status, server.host_key, server.bootstrapped_at) == ("pending", "", None)
        with pytest.raises(Problem) as caught:
            servers.bootstrap(server=server, actor=cast.alice)
        assert caught.value.code == "servers.host_key_unknown"

    def test_routes_and_records_go_with_it(self, server: Server, lost: list[Environment], cast: Cast) -> None:
        provider = DnsProvider.objects.create(name="By hand", kind="manual")
        old = {"provider": provider, "zone": "example.com", "record_type": "A", "value": "192.0.2.1", "ttl": 300}
        record = DnsRecord.objects.create(environment=lost[0], name="shop.example.com", **old)
        Route.objects.create(environment=lost[0], server=server, host_name=lost[0].host_name)
        give_up(server, cast)
        assert not Route.objects.exists()
        record.refresh_from_db()
        assert record.environment is None, "the scanner removes what belongs to nobody"

    @pytest.mark.parametrize(
        "phrase", ["", "Web", "web is gone for good", "Web is gone for good.", "x" * 100_000, "\0"]
    )
    def test_the_sentence_is_typed(self, server: Server, lost: list[Environment], cast: Cast, phrase: str) -> None:
        with pytest.raises(Problem) as caught:
            give_up(server, cast, phrase)
        assert caught.value.code == "servers.phrase_differs"
        assert Environment.objects.existing().count() == 2

    def test_a_server_that_answers_is_not_gone(self, server: Server, lost: list[Environment], cast: Cast) -> None:
        Server.objects.filter(pk=server.pk).update(status="ready")
        with pytest.raises(Conflict) as caught:
            give_up(server, cast)
        assert caught.value.code == "servers.still_there"
        assert Environment.objects.existing().count() == 2

    def test_what_is_under_way_is_cancelled_first(self, server: Server, lost: list[Environment], cast: Cast) -> None:
        operation = request_action(environment=lost[0], action="stop", user=cast.alice)
        with pytest.raises(Conflict) as caught:
            give_up(server, cast)
        assert caught.value.code == "servers.at_work"
        assert operation.title in caught.value.title
        assert Environment.objects.existing().count() == 2
        operations.cancel(operation=operation, user=cast.alice)
        assert len(give_up(server, cast)) == 3

    def test_the_way_to_it_does_not_change_under_an_operation(self, server: Server, lost, cast: Cast) -> None:
        operation = request_action(environment=lost[0], action="stop", user=cast.alice)
        with pytest.raises(Conflict) as caught:
            servers.update_server(server=server, actor=cast.alice, address="192.0.2.77")
        assert operation.title in caught.value.title

    def test_other_servers_keep_what_they_have(self, server: Server, lost, cast: Cast) -> None:
        other = make_environment(lost[0].project, server=make_server(cast.acme), status="running")
        give_up(server, cast)
        other.refresh_from_db()
        assert (other.status, bool(other.subnet)) == ("running", True)

    def test_a_second_time_gives_up_nothing(self, server: Server, lost, cast: Cast) -> None:
        give_up(server, cast)
        assert give_up(server, cast) == []
        with pytest.raises(Conflict):
            request_action(environment=lost[0], action="sync", user=cast.alice)


@pytest.mark.django_db(transaction=True)
def test_then_the_server_can_be_forgotten(
    server: Server, lost: list[Environment], cast: Cast, finish: Callable
) -> None:
    """Rows of purged environments outlive it."""
    with pytest.raises(Conflict):
        servers.remove_server(server=server, actor=cast.alice, only_forget=True)
    give_up(server, cast)
    operation = finish(servers.remove_server(server=server, actor=cast.alice, only_forget=True))
    assert operation.status == "completed", operation.error
    assert not Server.objects.filter(pk=server.pk).exists()
    assert Environment.objects.filter(server=None, status=Status.DELETED).count() == 3


@pytest.mark.django_db
class TestPage:
    def url(self, name: str) -> str:
        return reverse(f"servers:{name}", args=["acme", "web"])

    def test_it_is_offered_where_it_makes_sense(self, server: Server, lost, cast: Cast, sign_in) -> None:
        page = sign_in(cast.alice).get(self.url("settings")).text
        assert expected_phrase(server) in page
        assert lost[0].name in page
        Server.objects.filter(pk=server.pk).update(status="ready")
        assert expected_phrase(server) not in sign_in(cast.alice).get(self.url("settings")).text

    def test_who_may(self, server: Server, lost, cast: Cast, sign_in: Callable[..., Client]) -> None:
        sent = {"phrase": "Web is gone for good"}
        assert sign_in(cast.charlie).post(self.url("give_up"), sent).status_code == 404
        for person in (cast.bob, cast.vera):
            assert sign_in(person).post(self.url("give_up"), sent).status_code == 403
        assert sign_in(cast.alice).get(self.url("give_up")).status_code == 405
        assert Environment.objects.existing().count() == 2
        assert sign_in(cast.alice).post(self.url("give_up"), {"phrase": "Web"}).status_code == 422
        answer = sign_in(cast.alice).post(self.url("give_up"), sent, follow=True)
        assert answer.status_code == 200
        assert "Given up: " in answer.text
        assert lost[0].name in answer.text
        assert not Environment.objects.existing().exists()
        assert not Operation.objects.exists()
