"""The command-line client, as a person and as a pipeline use it."""

from __future__ import annotations

import json
import stat
import threading
import time
from pathlib import Path

import pytest
from django.db import connection

from apps.api import keys
from apps.operations.models import LogLine, Operation, Status
from apps.operations.runner import run_operation
from tests.cast import Cast
from tests.client.conftest import Terminal, Wire
from tests.factories import make_environment, make_project, make_server

pytestmark = pytest.mark.django_db(transaction=True)


def work(operation: Operation) -> threading.Thread:
    """Works on it in a thread, as a worker would."""

    def target() -> None:
        try:
            run_operation(operation.pk)
        finally:
            connection.close()

    thread = threading.Thread(target=target)
    thread.start()
    return thread


def wait_for(condition, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this did not happen in time"
        time.sleep(0.05)


class TestSigningIn:
    def test_a_file_of_the_demos_kind(self, terminal: Terminal, tmp_path: Path) -> None:
        source = tmp_path / "demo.json"
        source.write_text(json.dumps({"portal_url": terminal.url, "api_key": terminal.key, "email": "x"}))
        said = terminal("login", "--from", str(source))
        assert said.returncode == 0, said.stderr
        assert "alice@example.com in Acme" in said.stdout
        kept = tmp_path / "config" / "oec" / "settings.json"
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        told = terminal("me", without=("OEC_URL", "OEC_API_KEY"))
        assert "alice@example.com, owner of Acme" in told.stdout

    def test_the_key_is_asked_for_and_not_shown(self, terminal: Terminal) -> None:
        said = terminal("login", "--url", terminal.url, typed=f"{terminal.key}\n")
        assert said.returncode == 0, said.stderr
        assert terminal.key not in said.stdout + said.stderr

    def test_nobody_has_signed_in(self, terminal: Terminal) -> None:
        said = terminal("me", without=("OEC_API_KEY",))
        assert (said.returncode, "Sign in first" in said.stderr) == (3, True)

    @pytest.mark.parametrize("content", ["", "[]", '{"portal_url": "x"}'])
    def test_a_file_of_no_use(self, terminal: Terminal, tmp_path: Path, content: str) -> None:
        source = tmp_path / "demo.json"
        source.write_text(content)
        assert terminal("login", "--from", str(source)).returncode == 3

    def test_a_wrong_key_is_not_kept(self, terminal: Terminal, tmp_path: Path) -> None:
        said = terminal("login", "--url", terminal.url, typed="oec_live_rw_wrong\n")
        assert said.returncode == 3
        assert not (tmp_path / "config" / "oec" / "settings.json").exists()

    def test_a_platform_that_is_not_there(self, terminal: Terminal) -> None:
        terminal.url = "http://127.0.0.1:9"
        said = terminal("me")
        assert (said.returncode, "cannot be reached" in said.stderr) == (4, True)

    def test_something_that_is_no_platform(self, terminal: Terminal) -> None:
        said = terminal("api", "GET", "/no-such-address")
        assert (said.returncode, "Traceback" in said.stderr) == (3, False)


class TestEnvironments:
    def test_lists(self, terminal: Terminal, cast: Cast) -> None:
        project = make_project(cast.acme, "Shop")
        environment = make_environment(project)
        make_environment(make_project(cast.umbrella, "Theirs"))
        said = terminal("environments")
        assert environment.url in said.stdout
        assert "theirs" not in said.stdout
        rows = json.loads(terminal("--json", "projects").stdout)
        assert [row["slug"] for row in rows] == [project.slug]

    def test_an_empty_list_says_so(self, terminal: Terminal) -> None:
        assert "nothing here yet" in terminal("servers").stdout

    def test_names(self, terminal: Terminal, cast: Cast) -> None:
        environment = make_environment(make_project(cast.acme, "Shop"))
        twin = make_environment(make_project(cast.acme, "Store"), name=environment.name)
        for name in (str(environment.pk), environment.host_name, f"{environment.project.slug}/{environment.slug}"):
            found = json.loads(terminal("--json", "environment", name).stdout)
            assert found["id"] == str(environment.pk)
        if twin.slug == environment.slug:
            assert "Several environments" in terminal("environment", twin.slug).stderr
        unknown = terminal("environment", "nothing")
        assert (unknown.returncode, "There is no environment" in unknown.stderr) == (2, True)

    def test_a_key_that_may_only_read_does_not_deploy(self, terminal: Terminal, cast: Cast) -> None:
        environment = make_environment(make_project(cast.acme, "Shop"), server=make_server(cast.acme))
        _, terminal.key = keys.create_key(organization=cast.acme, name="Reader", kind="ro", actor=cast.alice)
        said = terminal("deploy", str(environment.pk))
        assert (said.returncode, "may only read" in said.stderr) == (3, True)

    def test_destroying_asks_for_the_name(self, terminal: Terminal, cast: Cast) -> None:
        environment = make_environment(make_project(cast.acme, "Shop"), server=make_server(cast.acme))
        said = terminal("destroy", str(environment.pk), typed="something else\n")
        assert said.returncode == 3
        assert not Operation.objects.exists()

    def test_a_deployment_is_followed_to_its_end(self, terminal: Terminal, cast: Cast) -> None:
        """The server's address leads nowhere, so it fails at the first step: told with what to do."""
        server = make_server(cast.acme, address="127.0.0.1", port=9)
        environment = make_environment(make_project(cast.acme, "Shop"), server=server)
        process = terminal.start("deploy", environment.host_name)
        wait_for(Operation.objects.exists)
        worker = work(Operation.objects.get())
        said, complained = process.communicate(timeout=90)
        worker.join()
        assert process.returncode == 1, complained
        assert "Queue task" in said
        operation = Operation.objects.get()
        assert operation.error in complained
        assert operation.hint in complained


class TestFollowing:
    def test_steps_and_log_to_a_good_end(self, terminal: Terminal, queue) -> None:
        operation = queue()
        work(operation).join()
        said = terminal("task", str(operation.pk), "--log")
        assert said.returncode == 0, said.stderr
        for name in ("one", "two"):
            assert f"Make {name}" in said.stdout
            assert said.stdout.count(f"{name} begins") == 1
        logged = terminal("log", str(operation.pk))
        assert logged.stdout.count("one begins") == 1

    def test_the_connection_is_cut_and_no_line_is_lost_or_doubled(
        self, terminal: Terminal, wire: Wire, queue, tmp_path: Path
    ) -> None:
        operation = queue(gate="two")
        worker = work(operation)
        terminal.url = wire.url
        process = terminal.start("--json", "task", str(operation.pk))
        wait_for(lambda: LogLine.objects.filter(operation=operation, text="two begins").exists())
        wait_for(lambda: len(wire.ends) >= 2)
        time.sleep(1)
        assert wire.cut()
        (tmp_path / "gate-two").touch()
        said, complained = process.communicate(timeout=60)
        worker.join()
        assert process.returncode == 0, complained
        events = [json.loads(line) for line in said.splitlines()]
        lines = [event["sequence"] for event in events if event["event"] == "line"]
        assert lines == list(
            LogLine.objects.filter(operation=operation).order_by("sequence").values_list("sequence", flat=True)
        )
        assert events[-1] == {"event": "end", "status": "completed"}

    def test_cancel(self, terminal: Terminal, queue) -> None:
        operation = queue(gate="one")
        worker = work(operation)
        wait_for(lambda: Operation.objects.filter(pk=operation.pk, status=Status.RUNNING).exists())
        process = terminal.start("task", str(operation.pk))
        assert terminal("cancel", str(operation.pk)).returncode == 0
        worker.join()
        process.communicate(timeout=30)
        assert process.returncode == 1

    def test_a_task_of_somebody_else(self, terminal: Terminal, cast: Cast, queue) -> None:
        operation = queue()
        _, terminal.key = keys.create_key(organization=cast.umbrella, name="Theirs", kind="rw", actor=cast.charlie)
        assert terminal("task", str(operation.pk)).returncode == 3


def test_any_address(terminal: Terminal) -> None:
    assert json.loads(terminal("api", "GET", "/me").stdout)["user"]["email"] == "alice@example.com"
    assert terminal("api", "POST", "/projects", "--data", "{").returncode == 2
    refused = terminal("api", "POST", "/projects", "--data", '{"nonsense": 1}')
    assert (refused.returncode, "nonsense" in refused.stderr) == (3, True)
