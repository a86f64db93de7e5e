"""One machine is one server: who claims it first has it, everybody else is told what to do."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Callable, Iterator

import pytest

from apps.audit.models import Event
from apps.core import clock
from apps.core.exceptions import Conflict, Problem
from apps.operations.models import Operation, Status
from apps.servers import owner, services
from apps.servers.host import Host
from apps.servers.models import Installation, Server
from tests.cast import Cast
from tests.servers.pages import HOST_KEY, address
from tests.servers.peer import number, serving, sftp, text
from tests.servers.preparing import containers_of, finish, log_of
from tests.servers.test_hostile_server import one_file

NOT_FOUND = bytes([101]) + number(2) + text(b"") + text(b"")


@contextlib.contextmanager
def machine_that_says(content: bytes | None) -> Iterator[Host]:
    """A machine whose file reads so, or is not there."""
    reply = one_file(content) if content is not None else lambda kind, question: NOT_FOUND
    with serving(files=sftp(reply)) as peer:
        host = Host(peer.endpoint())
        yield host
        host.close()


def says(installation: object, server: object) -> bytes:
    return json.dumps({"installation": str(installation), "server": str(server)}).encode()


@pytest.mark.django_db
class TestReading:
    def test_there_is_one_installation(self) -> None:
        first = Installation.current()
        assert Installation.current() == first
        assert Installation.objects.count() == 1

    def test_our_own_machine(self, make_server: Callable[..., Server]) -> None:
        server = make_server()
        with machine_that_says(owner.owner_as_of(server).as_text().encode()) as host:
            assert owner.claim(host, server) is False
            assert owner.why_not_ours(host, server) == ""

    def test_a_machine_of_another_row_names_it_to_its_own_people_only(self, make_server, cast: Cast) -> None:
        server, other = make_server(), make_server(name="Old web")
        theirs = make_server(organization=cast.umbrella, name="Secret")
        told = []
        for known in (other, theirs):
            with machine_that_says(says(Installation.current().pk, known.pk)) as host:
                with pytest.raises(Conflict) as caught:
                    owner.claim(host, server, take_over=True)
                assert owner.why_not_ours(host, server) == "The machine belongs to another server."
            assert caught.value.code == "servers.owned_by_another"
            told.append(caught.value.title)
        assert "Old web" in told[0]
        assert "of another organization" in told[1]
        assert "Secret" not in told[1]

    def test_a_machine_of_another_installation_is_never_taken_over(self, make_server) -> None:
        server = make_server()
        with machine_that_says(says(uuid.uuid4(), server.pk)) as host, pytest.raises(Conflict) as caught:
            owner.claim(host, server, take_over=True)
        assert caught.value.code == "servers.owned_elsewhere"
        assert "/opt/oecsh/owner" in caught.value.what_to_do

    def test_a_machine_of_a_row_that_is_gone_waits_for_a_person(self, make_server) -> None:
        server = make_server()
        with machine_that_says(says(Installation.current().pk, uuid.uuid4())) as host:
            with pytest.raises(Conflict) as caught:
                owner.claim(host, server)
            assert owner.why_not_ours(host, server) == "The machine belongs to another server."
        assert caught.value.code == "servers.owner_forgotten"

    @pytest.mark.parametrize(
        "content",
        [
            *(b"", b"nonsense", b"[]", b"null", b'"x"', b"{}", b"\xff\0", b"[" * 4000, b"x" * 5000),
            *(b'{"installation": 1, "server": []}', b'{"installation": "a", "server": "b"}'),
        ],
    )
    def test_a_file_that_says_nothing(self, make_server, content: bytes) -> None:
        server = make_server(bootstrapped_at=clock.now())
        with machine_that_says(content) as host:
            with pytest.raises(Problem) as caught:
                owner.claim(host, server, take_over=True)
            assert "does not say" in owner.why_not_ours(host, server)
        assert caught.value.code == "servers.owner_unreadable"

    def test_a_machine_from_before_there_was_such_a_file(self, make_server) -> None:
        """It is ours, unless it never was or another row leads there as well."""
        server = make_server(host_key=HOST_KEY, bootstrapped_at=clock.now())
        fresh = make_server(host_key=HOST_KEY)
        with machine_that_says(None) as host:
            assert owner.why_not_ours(host, server) == ""
            assert "never prepared" in owner.why_not_ours(host, fresh)
            Server.objects.filter(pk=fresh.pk).update(bootstrapped_at=clock.now())
            assert "same host key" in owner.why_not_ours(host, server)


@pytest.mark.django_db
class TestAsking:
    def refuse(self, server: Server, code: str) -> None:
        operation = services.bootstrap(server=server, actor=None)
        Operation.objects.filter(pk=operation.pk).update(status="failed", finished_at=clock.now(), error_code=code)

    def test_the_page_offers_it_where_it_helps(self, server: Server, cast: Cast, sign_in) -> None:
        assert "Take the machine over" not in sign_in(cast.alice).get(address("detail")).text
        self.refuse(server, "servers.owned_by_another")
        assert "Take the machine over" not in sign_in(cast.alice).get(address("detail")).text
        self.refuse(server, "servers.owner_forgotten")
        assert "Take the machine over" in sign_in(cast.alice).get(address("detail")).text
        assert "Take the machine over" not in sign_in(cast.vera).get(address("detail")).text

    def test_it_is_written_down(self, server: Server, cast: Cast, sign_in) -> None:
        assert sign_in(cast.bob).post(address("prepare"), {"take_over": "yes"}).status_code == 403
        assert sign_in(cast.alice).post(address("prepare"), {"take_over": "yes"}).status_code == 302
        assert Operation.objects.get().parameters == {"take_over": True}
        assert Event.objects.get(action="server.bootstrap_requested").after == {"take_over": True}


@pytest.mark.lab
@pytest.mark.django_db(transaction=True)
class TestOnTheMachine:
    def test_the_second_row_is_refused_and_takes_nothing_away(self, lab_server, reach, prepare, cast: Cast) -> None:
        first = reach(lab_server)
        assert prepare(first).status == Status.COMPLETED
        seen = lab_server.run(["stat", "-c", "%a %u", "/opt/oecsh/owner"]).stdout
        assert seen == "644 0\n"
        before = containers_of(lab_server)
        second = reach(lab_server, is_fresh=False, organization=cast.umbrella)
        refused = prepare(second)
        assert refused.error_code == "servers.owned_by_another", log_of(refused)
        removal = finish(services.remove_server(server=second, actor=cast.charlie))
        assert removal.status == Status.COMPLETED, log_of(removal)
        assert "Nothing is changed on the machine" in log_of(removal)
        assert containers_of(lab_server) == before
        assert prepare(first).status == Status.COMPLETED

    def test_a_machine_that_was_only_forgotten_is_taken_over(self, lab_server, reach, prepare, cast: Cast) -> None:
        first = reach(lab_server)
        assert prepare(first).status == Status.COMPLETED
        finish(services.remove_server(server=first, actor=cast.alice, only_forget=True))
        second = reach(lab_server, is_fresh=False)
        assert prepare(second).error_code == "servers.owner_forgotten"
        taken = finish(services.bootstrap(server=second, actor=cast.alice, take_over=True))
        assert taken.status == Status.COMPLETED, log_of(taken)
        assert json.loads(lab_server.run(["cat", "/opt/oecsh/owner"]).stdout)["server"] == str(second.pk)
        assert lab_server.run(["ls", "-A", "/opt/oecsh"]).stdout.count("owner") == 1, "nothing is left aside"

    def test_a_removed_machine_is_free_for_others(self, lab_server, reach, prepare, cast: Cast) -> None:
        first = reach(lab_server)
        assert prepare(first).status == Status.COMPLETED
        removal = finish(services.remove_server(server=first, actor=cast.alice))
        assert removal.status == Status.COMPLETED, log_of(removal)
        second = reach(lab_server, is_fresh=False, organization=cast.umbrella)
        prepared = prepare(second)
        assert prepared.status == Status.COMPLETED, log_of(prepared)
