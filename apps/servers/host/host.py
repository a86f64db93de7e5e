"""An open connection to a server, and what can be done through it."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePath

import docker.errors
import paramiko

from apps.core.exceptions import Problem
from apps.servers.host import commands
from apps.servers.host.channel_socket import ChannelSocket
from apps.servers.host.commands import Run
from apps.servers.host.connection import Endpoint, connect, wait_closed
from apps.servers.host.docker_client import Adapter, APIClient, DockerClient
from apps.servers.host.exceptions import CommandFailed, CommandResult, ConnectionLost
from apps.servers.host.files import Files

DEFAULT_SOCKET = "/var/run/docker.sock"
# Marked, to tell the answer from what a login shell says by itself.
_WHO = 'printf "\\noecsh %s %s\\n" "$(id -u)" "${DOCKER_HOST:-}"'
_WHO_ANSWER = re.compile(r"^oecsh (\d{1,10}) (\S{0,200})$", re.MULTILINE | re.ASCII)
_UNIX = "unix://"
_FULL_BELOW_MEGABYTES = 2
_LAST_WORDS = 16 * 1024
_SHOWN = 500


class Host:
    """Opened by `open_host`, closed by it. Commands, files and Docker all act with the rights of root, by
    `sudo -n` where the user is somebody else."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.address = endpoint.address
        self.user = endpoint.user
        self.transport = connect(endpoint)
        self.files = Files(self)
        self._docker: DockerClient | None = None
        self._docker_lock = threading.Lock()
        self._dials_by_command = False
        try:
            user_id, self.docker_socket = self._ask_who()
        except BaseException:
            wait_closed(self.transport)
            raise
        self.is_root = user_id == 0
        self.sudo: tuple[str, ...] = () if self.is_root else ("sudo", "-n")

    def _ask_who(self) -> tuple[int, str]:
        result = commands.execute(self.transport, self.address, ["sh", "-c", _WHO], timeout=20)
        answer = _WHO_ANSWER.search(result.stdout)
        if answer is None:
            # nologin, a forced command, a menu.
            said = " / ".join((result.stdout + result.stderr).strip()[:_SHOWN].splitlines()[:3]) or "nothing"
            raise Problem("servers.no_shell", user=self.user, output=said)
        greeting = result.stdout[: answer.start()].strip()
        if greeting:
            # File transfer and Docker's own protocol would stumble over it later, with strange words.
            raise Problem("servers.shell_talks", user=self.user, output=greeting.splitlines()[0][:200])
        docker_host = answer[2]
        return int(answer[1]), docker_host.removeprefix(_UNIX) if docker_host.startswith(_UNIX) else DEFAULT_SOCKET

    def run(
        self,
        arguments: Sequence[object],
        *,
        input: str | bytes | None = None,  # noqa: A002  (the name that subprocess.run has)
        timeout: float = 60,
        check: bool = True,
        run: Run | None = None,
    ) -> CommandResult:
        """Runs a command as root and returns how it ended; `timeout` in seconds ends it on the server too. With `run`
        its lines go to the operation's log as they come, and a cancel is noticed at once.

        Raises CommandFailed (with `check`) for an exit code other than 0, Problem `servers.command_timed_out` or
        `servers.no_sudo`, and ConnectionLost.
        """
        result = commands.execute(
            self.transport, self.address, arguments, prefix=self.sudo, data=input, timeout=timeout, run=run
        )
        if result.exit_code != 0 and self.sudo and result.stderr.startswith("sudo:"):
            raise Problem("servers.no_sudo", user=self.user)
        if check and result.exit_code != 0:
            raise CommandFailed.of(commands.program_name(arguments), result)
        return result

    def run_script(
        self,
        script: str,
        *arguments: object,
        timeout: float = 60,
        check: bool = True,
        run: Run | None = None,
    ) -> CommandResult:
        """Runs a POSIX shell script of ours in one go. It is constant; what varies comes as `$1`, `$2`, …"""
        words = ["sh", "-c", script, "sh", *arguments]
        return self.run(words, timeout=timeout, check=check, run=run)

    @contextlib.contextmanager
    def stream_into(self, arguments: Sequence[object], *, timeout: float = 900) -> Iterator[CommandInput]:
        """A command that reads a long input: what is written to the stream goes to it, and at the end of the block it
        has ended well. Raises CommandFailed with its words, or ConnectionLost."""
        channel = commands.open_session(self.transport, self.address)
        with contextlib.closing(channel):
            channel.settimeout(60)
            words = [*self.sudo, "timeout", str(round(timeout)), *arguments]
            stream = CommandInput(channel, self.address, commands.program_name(arguments))
            try:
                channel.exec_command(commands.command_line(words))
            except paramiko.SSHException as error:
                raise ConnectionLost("servers.connection_lost", address=self.address, reason=error) from error
            yield stream
            stream.finish()

    def disk_is_full(self, path: PurePath | str) -> bool:
        """True when nothing can be written under `path` any more."""
        with contextlib.suppress(Problem):
            return self.files.free_megabytes(path) < _FULL_BELOW_MEGABYTES
        return False

    @property
    def docker(self) -> DockerClient:
        """docker-py over this connection. Raises Problem `servers.docker_missing`, `servers.docker_not_running`,
        `servers.docker_denied` or `servers.docker_too_old` at the first use."""
        with self._docker_lock:
            if self._docker is None:
                api = APIClient(Adapter(self._open_docker_channel, self.address))
                self._find_way_to_docker()
                api.negotiate()
                self._docker = DockerClient(api)
            return self._docker

    def docker_answers(self) -> bool:
        """True when the engine can be used now; asks anew each time that it could not."""
        try:
            self.docker.ping()
        except (Problem, docker.errors.APIError):
            with self._docker_lock:
                self._docker = None
            return False
        return True

    def _find_way_to_docker(self) -> None:
        try:
            self._open_docker_socket().close()
        except paramiko.ChannelException:
            # Forwarding is off, or the user has no rights on the socket: let Docker's own program say which.
            self._diagnose_docker()
            self._dials_by_command = True

    def _open_docker_channel(self, on_closed: Callable[[], None]) -> ChannelSocket:
        try:
            channel = self._open_docker_process() if self._dials_by_command else self._open_docker_socket()
        except paramiko.ChannelException as error:
            self._diagnose_docker()
            raise ConnectionLost("servers.connection_lost", address=self.address, reason="Docker hung up") from error
        return ChannelSocket(channel, self.address, on_closed)

    def _open_docker_socket(self) -> paramiko.Channel:
        try:
            return self.transport.open_unix_socket(self.docker_socket)
        except paramiko.ChannelException:
            raise
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise ConnectionLost("servers.connection_lost", address=self.address, reason=error) from error

    def _docker_command(self, *arguments: str) -> list[str]:
        return ["docker", "--host", f"unix://{self.docker_socket}", *arguments]

    def _open_docker_process(self) -> paramiko.Channel:
        channel = commands.open_session(self.transport, self.address)
        words = [*self.sudo, *self._docker_command("system", "dial-stdio")]
        try:
            channel.exec_command(commands.command_line(words))
        except paramiko.SSHException as error:
            raise ConnectionLost("servers.connection_lost", address=self.address, reason=error) from error
        return channel

    def _diagnose_docker(self) -> None:
        """Returns when Docker's own program reaches the engine; otherwise raises the Problem that says why not."""
        try:
            result = self.run(
                self._docker_command("version", "--format", "{{.Server.Version}}"), timeout=30, check=False
            )
        except Problem as problem:
            if problem.code == "servers.no_sudo":
                raise Problem("servers.docker_denied", user=self.user) from problem
            raise
        if result.exit_code == 0:
            return
        said = result.stderr.lower()
        if result.exit_code in (126, 127):
            raise Problem("servers.docker_missing")
        if "permission denied" in said:
            raise Problem("servers.docker_denied", user=self.user)
        raise Problem("servers.docker_not_running")

    def close(self) -> None:
        """Closes everything; commands and streams that still run lose their connection."""
        self.files.close()
        if self._docker is not None:
            self._docker.close()
        wait_closed(self.transport)


class CommandInput:
    """The writing end of a command started by `Host.stream_into`."""

    def __init__(self, channel: paramiko.Channel, address: str, program: str) -> None:
        self._channel = channel
        self._socket = ChannelSocket(channel, address)
        self._program = program

    def write(self, data: bytes) -> int:
        try:
            self._socket.sendall(data)
        except BrokenPipeError:
            # It ended early, and its own words say why.
            self.finish()
            raise
        return len(data)

    def finish(self) -> None:
        """Ends the input and waits for the command. Raises CommandFailed when it failed."""
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            self._channel.shutdown_write()
        said = b""
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline:
            try:
                chunk = self._channel.recv_stderr(commands.CHUNK)
            except TimeoutError:
                continue
            # Its last words tell why it failed.
            said = (said + chunk)[-_LAST_WORDS:]
            if not chunk:
                break
        self._channel.status_event.wait(30)
        exit_code = self._channel.exit_status
        if exit_code == -1:
            transport = self._channel.get_transport()
            reason = transport and transport.get_exception()
            raise ConnectionLost("servers.connection_lost", address=self._socket.address, reason=reason)
        if exit_code != 0:
            raise CommandFailed.of(self._program, CommandResult(exit_code, "", said.decode(errors="replace")))
