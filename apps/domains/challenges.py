"""Proving that a name is ours: a file behind the server's proxy (HTTP-01) or a record in its zone (DNS-01)."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import ClassVar

import requests
from django.conf import settings

from apps.core import outgoing
from apps.core.exceptions import Problem
from apps.core.outgoing import is_allowed
from apps.domains import dns_lookup, dns_records, routing
from apps.domains.models import Challenge, DnsProvider, DnsRecord
from apps.domains.progress import Progress, quiet
from apps.servers import paths
from apps.servers.host import Host
from apps.servers.models import Server

SECONDS_FOR_OWN_LOOK = 20.0
SECONDS_TO_CONNECT, SECONDS_TO_ANSWER = 5, 10
# A token with the account's fingerprint has some ninety characters.
LARGEST_TOKEN = 2**12
# A record of a challenge lives for minutes.
CHALLENGE_TTL = 60


@dataclass(frozen=True)
class Task:
    """One challenge: `validation` is what the authority expects to find; `token` names the file (HTTP-01 only)."""

    name: str
    token: str
    validation: str


class Solver(abc.ABC):
    """Sets challenges up, looks itself whether they are seen, and removes them."""

    challenge_type: ClassVar[str]

    @abc.abstractmethod
    def prepare(self, task: Task) -> None:
        """Sets one challenge up."""

    @abc.abstractmethod
    def wait_until_ready(self, run: Progress) -> None:
        """Returns once the challenges are seen from where we are; the authority is asked only then. Raises Problem."""

    @abc.abstractmethod
    def clean_up(self) -> None:
        """Removes what was set up. Never raises for something that is gone already."""


class DnsSolver(Solver):
    """TXT records of `_acme-challenge.<name>`; the only way to a wildcard (RFC 8555, section 8.4)."""

    challenge_type = Challenge.DNS

    def __init__(self, provider: DnsProvider, run: Progress = quiet) -> None:
        self.provider = provider
        self.run = run
        self.written: list[DnsRecord] = []

    def prepare(self, task: Task) -> None:
        """A name and its wildcard need two values of one record set: each is added beside the others."""
        name = f"_acme-challenge.{task.name}"
        record = dns_records.ensure_txt(self.provider, name, task.validation, ttl=CHALLENGE_TTL)
        self.written.append(record)
        self.run.info(f"Wrote the TXT record {name} at {self.provider.name}.")

    def wait_until_ready(self, run: Progress) -> None:
        """Asks every name server of the zone: the authority may ask any of them."""
        for record in self.written:
            dns_records.wait_until_visible(record, run=run)
        run.info("All name servers of the zone show the challenge.")

    def clean_up(self) -> None:
        """A record that cannot be removed now stays in our books, and is removed by the scanner."""
        while self.written:
            record = self.written.pop()
            try:
                dns_records.remove(record)
            except Problem as problem:
                self.run.warning(f"The TXT record {record.name} could not be removed yet: {problem}")


class HttpSolver(Solver):
    """A file on the server, answered behind its proxy under `/.well-known/acme-challenge/` (RFC 8555, section 8.3)."""

    challenge_type = Challenge.HTTP

    def __init__(self, host: Host, server: Server, run: Progress = quiet) -> None:
        self.host = host
        self.server = server
        self.run = run
        self.prepared: list[Task] = []

    def prepare(self, task: Task) -> None:
        """Writes the token's file."""
        if not self.prepared:
            routing.ensure_shared(self.host)
        self.prepared.append(task)
        self.host.files.write(paths.challenges_directory() / task.token, task.validation, mode=0o644)

    def wait_until_ready(self, run: Progress) -> None:
        """Looks as the authority will: the name's addresses, then the file on port 80. Failing here costs nothing at
        the authority."""
        for task in self.prepared:
            addresses = self._addresses(task.name, run)
            self._look(task, addresses, run)
        run.info("The server answers with the token.")

    def clean_up(self) -> None:
        """Removes the files. On a connection that is gone they stay: a token without an order says nothing."""
        while self.prepared:
            task = self.prepared.pop()
            try:
                self.host.files.remove(paths.challenges_directory() / task.token)
            except Problem as problem:
                self.run.warning(f"The token's file could not be removed: {problem}")

    def _addresses(self, name: str, run: Progress) -> list[str]:
        try:
            found = dns_lookup.addresses_of(name)
        except OSError as error:
            run.warning(str(error))
            found = []
        if not found:
            record = dns_records.wanted_record(name, self.server.dns_address)
            raise Problem("domains.dns_name_missing", name=name, record=record)
        expected = set(dns_records.addresses_of_server(self.server))
        if expected and not expected & set(found):
            run.warning(
                f"{name} points to {', '.join(found)}, not to the server ({', '.join(sorted(expected))}). "
                "That works only where something in between passes requests on."
            )
        return found

    def _look(self, task: Task, addresses: list[str], run: Progress) -> None:
        waited, pause, seen = 0.0, 0.25, ""
        while True:
            seen = self._ask(task, addresses[0])
            if not seen:
                return
            if waited >= SECONDS_FOR_OWN_LOOK:
                port = settings.ACME_HTTP_PORT
                raise Problem("domains.challenge_not_reachable", name=task.name, port=port, words=seen)
            run.sleep(pause)
            waited, pause = waited + pause, min(pause * 2, 4.0)

    def _ask(self, task: Task, address: str) -> str:
        """Empty where the file is there; otherwise what was seen."""
        if not is_allowed(address):
            return f"{address} is a private address, which no certificate authority can reach."
        host = f"[{address}]" if ":" in address else address
        url = f"http://{host}:{settings.ACME_HTTP_PORT}/.well-known/acme-challenge/{task.token}"
        try:
            with outgoing.session(schemes=("http",), largest=LARGEST_TOKEN, seconds=SECONDS_TO_ANSWER) as session:
                answer = session.get(url, headers={"Host": task.name}, timeout=(SECONDS_TO_CONNECT, SECONDS_TO_ANSWER))
        except outgoing.AnswerTooLarge:
            return f"{address} answers with something much longer than the token."
        except (requests.RequestException, OSError) as error:
            return f"{address} does not answer ({_short(error)})."
        if (
            answer.status_code == requests.codes.ok
            and answer.content.decode(errors="replace").strip() == task.validation
        ):
            return ""
        return f"{address} answers HTTP {answer.status_code}, but not with the token."


def _short(error: Exception) -> str:
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    return "the connection failed" if isinstance(error, requests.ConnectionError) else str(error)
