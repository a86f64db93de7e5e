"""What can be done through an open connection: commands and Docker; many at once, and when it is cut."""

from __future__ import annotations

import base64
import io
import json
import os
import tarfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docker
import pytest

from apps.core.exceptions import Problem, RetryableError
from apps.servers.host import CommandFailed, ConnectionLost, Host, _opened, open_host
from tests.lab.server import LabServer

pytestmark = pytest.mark.lab


HOSTILE = ["a b", "$(id)", "`id`", "'; id #", '"', "it's", "two\nlines", "*", "~", "-n", "ü\t€", "\\", ""]


@pytest.fixture
def image(lab_server: LabServer) -> str:
    """A tiny image on alpha, made there."""
    pack = "mkdir -p /tmp/i/bin && cp /bin/busybox /tmp/i/bin && tar -C /tmp/i -c . | docker import - lab/busybox"
    lab_server.run(["sh", "-c", pack])
    return "lab/busybox"


def test_arguments_arrive_as_they_are(host: Host) -> None:
    script = 'import sys; sys.stdout.write("\\0".join(sys.argv[1:]))'
    try:
        answer = host.run(["python3", "-c", script, *HOSTILE]).stdout.split("\0")
    except CommandFailed:
        answer = host.run(["printf", "%s\\0", *HOSTILE]).stdout.split("\0")[:-1]
    assert answer == HOSTILE


def test_a_null_character_is_refused(host: Host) -> None:
    with pytest.raises(ValueError, match="NUL"):
        host.run(["echo", "a\0b"])


def test_script_arguments_are_no_code(host: Host) -> None:
    result = host.run_script('printf "%s|" "$@"', *HOSTILE)
    assert result.stdout == "".join(f"{word}|" for word in HOSTILE)


def test_exit_code_and_both_outputs(host: Host) -> None:
    result = host.run_script("echo out; echo err >&2; exit 3", check=False)
    assert (result.exit_code, result.stdout, result.stderr) == (3, "out\n", "err\n")
    with pytest.raises(CommandFailed) as caught:
        host.run_script("echo the reason >&2; exit 3")
    assert "the reason" in caught.value.what_to_do
    assert caught.value.result.exit_code == 3
    assert not isinstance(caught.value, RetryableError)


def test_input_of_any_size(host: Host) -> None:
    data = os.urandom(3_000_000).hex()
    assert host.run(["cat"], input=data).stdout == data


def test_a_command_that_takes_too_long_is_ended_on_the_server(host: Host, lab_server: LabServer) -> None:
    begun = time.monotonic()
    with pytest.raises(Problem) as caught:
        host.run(["sleep", "4711"], timeout=1)
    assert caught.value.code == "servers.command_timed_out"
    assert time.monotonic() - begun < 5
    assert lab_server.run(["pgrep", "-f", "sleep 4711"], check=False).returncode == 1


def test_lines_go_to_the_log_as_they_come(host: Host) -> None:
    class Run:
        lines: list[tuple[float, str]] = []

        def info(self, text: str) -> None:
            self.lines.append((time.monotonic(), text))

        def check(self) -> None:
            pass

    host.run_script("echo one; sleep 1; echo two >&2; printf three", run=Run())
    assert Run.lines[0][1] == "one"
    assert {text for _, text in Run.lines} == {"one", "two", "three"}, "a last line without an end is a line"
    assert Run.lines[1][0] - Run.lines[0][0] > 0.5


def test_a_cancelled_command_stops_waiting(host: Host) -> None:
    class Stopped(BaseException):
        pass

    class Run:
        def info(self, text: str) -> None:
            raise AssertionError(text)

        def check(self) -> None:
            raise Stopped

    begun = time.monotonic()
    with pytest.raises(Stopped):
        host.run(["sleep", "5"], run=Run())
    assert time.monotonic() - begun < 2


def test_twenty_threads_with_twenty_calls_each(host: Host, image: str) -> None:
    container = host.docker.containers.create(image, ["/bin/busybox", "sleep", "60"])

    def call(number: int) -> str:
        return host.docker.containers.get(container.id).attrs["Id"]

    try:
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(call, range(400)))
    finally:
        container.remove(force=True)
    assert answers == [container.id] * 400


def test_many_commands_inside_a_container_at_once(host: Host, image: str) -> None:
    """The library's own way fails at the eighth, and loses output that comes together with the answer's head."""
    container = host.docker.containers.run(image, ["/bin/busybox", "sleep", "60"], detach=True)

    def execute(number: int) -> tuple[int, bytes]:
        result = container.exec_run(["/bin/busybox", "echo", str(number)])
        return result.exit_code, result.output

    try:
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(execute, range(60)))
    finally:
        container.remove(force=True)
    assert answers == [(0, f"{number}\n".encode()) for number in range(60)]


def test_docker_where_forwarding_is_off(lab_server: LabServer, endpoint: Callable, image: str) -> None:
    lab_server.run(["sh", "-c", "mkdir -p /etc/ssh/sshd_config.d; cat /etc/ssh/sshd_config > /tmp/sshd_config.before"])
    lab_server.run(["sed", "-i", "1i AllowStreamLocalForwarding no", "/etc/ssh/sshd_config"])
    lab_server.restart_sshd()
    host = Host(endpoint(lab_server))
    try:
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda _: host.docker.ping(), range(200)))
        assert all(answers)
        assert host.docker.images.get(image)
    finally:
        host.close()
        lab_server.run(["cp", "/tmp/sshd_config.before", "/etc/ssh/sshd_config"])
        lab_server.restart_sshd()


def test_the_credentials_of_this_machine_stay_here(
    lab_server: LabServer, endpoint, monkeypatch, tmp_path: Path
) -> None:
    planted = {"auths": {"https://index.docker.io/v1/": {"auth": base64.b64encode(b"me:secret").decode()}}}
    (tmp_path / "config.json").write_text(json.dumps(planted))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert docker.APIClient(base_url="tcp://localhost:1", version="1.41")._auth_configs.auths, "the library reads them"
    host = Host(endpoint(lab_server))
    try:
        assert not host.docker.api._auth_configs.auths
        assert host.docker.api._general_configs == {}
    finally:
        host.close()


def test_a_connection_cut_in_the_middle_of_a_command(lab_server: LabServer, endpoint: Callable) -> None:
    host = Host(endpoint(lab_server))
    threading.Timer(0.7, lab_server.drop_connections).start()
    with pytest.raises(ConnectionLost):
        host.run(["sleep", "20"], timeout=30)
    host.close()


def test_a_connection_cut_in_the_middle_of_a_call(lab_server: LabServer, endpoint: Callable, image: str) -> None:
    host = Host(endpoint(lab_server))
    container = host.docker.containers.run(image, ["/bin/busybox", "sleep", "30"], detach=True)
    threading.Timer(0.7, lab_server.drop_connections).start()
    begun = time.monotonic()
    with pytest.raises(ConnectionLost):
        container.wait()
    with pytest.raises(ConnectionLost):
        host.docker.ping()
    with pytest.raises(ConnectionLost):
        host.files.read("/etc/hostname")
    assert time.monotonic() - begun < 10
    host.close()
    with_new = Host(endpoint(lab_server))
    with_new.docker.containers.get(container.id).remove(force=True)
    with_new.close()


def test_a_server_that_goes_silent(lab_server: LabServer, endpoint: Callable) -> None:
    """Nothing says that the cable is out: only the silence does."""
    host = Host(endpoint(lab_server))
    assert host.docker.ping()
    lab_server.cut_off()
    begun = time.monotonic()
    try:
        with pytest.raises(ConnectionLost):
            host.run(["sleep", "300"], timeout=300)
        assert time.monotonic() - begun < 60
    finally:
        lab_server.reconnect()
        host.close()


def test_bytes_into_a_container_are_not_slow(host: Host, image: str) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("large")
        entry.size = 20_000_000
        archive.addfile(entry, io.BytesIO(os.urandom(entry.size)))
    container = host.docker.containers.create(image, ["/bin/busybox", "true"])
    begun = time.monotonic()
    container.put_archive("/", buffer.getvalue())
    seconds = time.monotonic() - begun
    container.remove()
    assert seconds < 10, "slices of a bytes object made this 0.7 MB/s"


def test_one_connection_for_a_whole_task(reach: Callable, lab_server: LabServer) -> None:
    server = reach(lab_server)
    with open_host(server) as outer:
        with open_host(server) as inner:
            assert inner is outer
        assert outer.transport.is_active(), "the inner block does not close it"
        seen = []
        thread = threading.Thread(target=lambda: seen.append(_opened_elsewhere(server)))
        thread.start()
        thread.join()
        assert seen == [True], "another thread has its own"
    assert not outer.transport.is_active()


def _opened_elsewhere(server) -> bool:
    return not _opened.__dict__.get("hosts")
