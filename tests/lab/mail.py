"""A mail sink: takes every message, delivers none, shows them."""

from __future__ import annotations

import email.message
import sys
from pathlib import Path

from tests.lab.commands import LabError, Words, wait_until
from tests.lab.mail_sink import read_messages
from tests.lab.paths import REPOSITORY
from tests.lab.processes import Daemon
from tests.lab.sshd import answers, ensure_port_is_free


class MailSink:
    """SMTP on `port` (no TLS, no sign-in), a page with what came at `web_address`. Needs no root."""

    def __init__(self, directory: Path, *, address: str, port: int = 1025, web_port: int = 8025) -> None:
        self.directory = directory
        self.address = address
        self.port = port
        self.web_port = web_port
        self.maildir = directory / "messages"
        self.daemon = Daemon("mail-sink", directory)

    @property
    def web_address(self) -> str:
        return f"http://{self.address}:{self.web_port}/"

    @property
    def is_running(self) -> bool:
        return self.daemon.mark is not None

    def start(self) -> MailSink:
        """Start it, or leave it running."""
        if self.is_running and answers(self.address, self.web_port):
            return self
        self.daemon.stop()
        for port in (self.port, self.web_port):
            ensure_port_is_free(self.address, port)
        ports = (str(self.port), str(self.web_port))
        command: Words = [sys.executable, "-m", "tests.lab.mail_sink", self.maildir, self.address, *ports]
        self.daemon.start(command, directory=REPOSITORY)
        wait_until(
            lambda: self.daemon.pid > 0 and all(answers(self.address, port) for port in (self.port, self.web_port)),
            timeout=40,
            what="the mail sink answers",
        )
        return self

    def stop(self) -> None:
        self.daemon.stop()

    def messages(self, *, to: str = "") -> list[email.message.EmailMessage]:
        """What came, newest first; only what is for `to` where given."""
        return [message for _, message in read_messages(self.maildir) if to in str(message["To"])]

    def wait_for(self, *, to: str, subject: str = "", timeout: float = 20) -> email.message.EmailMessage:
        """The newest message for `to` whose subject contains `subject`; raises `LabError` when none comes in time."""
        found: list[email.message.EmailMessage] = []

        def came() -> bool:
            found[:] = [message for message in self.messages(to=to) if subject in str(message["Subject"])]
            return bool(found)

        wait_until(came, timeout=timeout, what=f"a message for {to} about {subject!r} came")
        if not found:
            raise LabError(f"the message for {to} vanished")
        return found[0]

    def clear(self) -> None:
        """Forget every message."""
        for file in self.maildir.glob("*/*"):
            file.unlink()
