"""A real authoritative DNS server (Knot): zones made at run time, dynamic updates (RFC 2136) signed with TSIG."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

from images.packages import ensure_packages
from tests.lab.commands import LabError, execute, wait_until
from tests.lab.processes import Daemon

SETTINGS = """\
server:
    rundir: "{directory}/run"
    listen: "{address}@{port}"
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: "{directory}/database"
key:
  - id: "{key_name}"
    algorithm: {algorithm}
    secret: "{secret}"
acl:
  - id: "updates"
    key: "{key_name}"
    action: [update, transfer]
template:
  - id: default
    storage: "{directory}/zones"
    file: "%s.zone"
    journal-content: none
    zonefile-load: whole
    zonefile-sync: 0
zone:
"""

ZONE = """\
$TTL 1
@ SOA ns hostmaster {serial} 60 60 3600 1
@ NS ns
ns A {address}
"""


@dataclass(frozen=True)
class Zone:
    """How one zone behaves."""

    updates: bool = True
    served: bool = True


class DnsServer:
    """Knot in `directory`, listening on `address` and `port`. The key for updates is made at the first start."""

    key_name = "lab"
    key_algorithm = "hmac-sha256"

    def __init__(self, directory: Path, *, address: str, port: int = 53) -> None:
        self.directory = directory
        self.address = address
        self.port = port
        self.daemon = Daemon("knotd", directory)
        self._state = directory / "zones.json"

    @property
    def key_secret(self) -> str:
        """The secret of the key, base64."""
        file = self.directory / "secret"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o600)
            file.write_text(base64.b64encode(secrets.token_bytes(32)).decode())
        return file.read_text()

    @property
    def is_running(self) -> bool:
        return self.daemon.mark is not None

    def start(self) -> DnsServer:
        """Start it, or leave it running. Zones of earlier sessions are still there."""
        ensure_packages(("knot",))
        if self.is_running:
            return self
        for folder in ("run", "database", "zones"):
            (self.directory / folder).mkdir(parents=True, exist_ok=True)
        self._write_settings()
        # Killed, it leaves a pid file, and would not start while that number belongs to anybody.
        (self.directory / "run" / "knot.pid").unlink(missing_ok=True)
        self.daemon.start(["knotd", "-c", self._settings])
        wait_until(lambda: self.daemon.pid > 0 and self._answers(), timeout=40, what="the DNS server answers")
        return self

    def stop(self) -> None:
        self.daemon.stop()

    # --- zones ----------------------------------------------------------------------------------------------------

    def add_zone(self, name: str, records: Sequence[str] = ()) -> None:
        """Serve a fresh zone that takes updates. `records` are lines of a zone file, such as `* A 10.213.1.11`."""
        zones = self._zones()
        if name in zones:
            self.remove_zone(name)
        text = ZONE.format(serial=1, address=self.address) + "".join(f"{record}\n" for record in records)
        (self.directory / "zones" / f"{name}.zone").write_text(text)
        self._change(name, Zone())

    def ensure_zone(self, name: str, records: Sequence[str] = ()) -> None:
        """Like `add_zone`, unless the zone is served already: then it stays as it is."""
        if not self._serves(name):
            self.add_zone(name, records)

    def remove_zone(self, name: str) -> None:
        """Forget a zone: questions about it are refused. Harmless for one that is not there."""
        self._change(name, None)
        (self.directory / "zones" / f"{name}.zone").unlink(missing_ok=True)

    def set_records(self, zone: str, name: str, kind: str, values: Sequence[str]) -> None:
        """Replace what `name` (relative to the zone, `@` for the zone itself) has of that kind, by a side door."""
        self._control("zone-begin", zone)
        try:
            self._control("zone-unset", zone, name, kind, check=False)
            for value in values:
                self._control("zone-set", zone, name, "1", kind, value)
        except LabError:
            self._control("zone-abort", zone)
            raise
        self._control("zone-commit", zone)

    def lookup(self, name: str, kind: str = "A") -> list[str]:
        """What this server answers, as text, sorted. Raises `LabError` when it refuses or stays silent."""
        question = dns.message.make_query(name, kind)
        try:
            answer = dns.query.udp(question, self.address, port=self.port, timeout=5)
        except dns.exception.Timeout as error:
            raise LabError(f"no answer about {name}") from error
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            raise LabError(f"{name}: {dns.rcode.to_text(answer.rcode())}")
        wanted = dns.rdatatype.from_text(kind)
        found = [item for records in answer.answer for item in records if item.rdtype == wanted]
        return sorted(item.to_text().strip('"') for item in found)

    # --- faults ---------------------------------------------------------------------------------------------------

    def refuse_updates(self, zone: str, refused: bool = True) -> None:
        """Refuse every update of the zone (NOTAUTH, the key is called unknown); questions are still answered."""
        self._change(zone, Zone(updates=not refused))

    def refuse_queries(self, zone: str, refused: bool = True) -> None:
        """Answer REFUSED to every question about the zone, as a server that does not know it."""
        self._change(zone, Zone(served=not refused))

    def mislead_challenges(self, zone: str) -> None:
        """Answer a wrong text for the zone's DNS-01 challenge: updates are accepted and change nothing of it.

        The name is an alias, and an alias has no records of its own beside it.
        """
        self.set_records(zone, "wrong", "TXT", ["not-the-challenge"])
        self.set_records(zone, "_acme-challenge", "CNAME", [f"wrong.{zone}."])

    # --- inner parts ----------------------------------------------------------------------------------------------

    @property
    def _settings(self) -> Path:
        return self.directory / "knot.conf"

    def _zones(self) -> dict[str, Zone]:
        try:
            return {name: Zone(**values) for name, values in json.loads(self._state.read_text()).items()}
        except FileNotFoundError:
            return {}

    def _change(self, name: str, zone: Zone | None) -> None:
        zones = self._zones()
        zones.pop(name, None)
        if zone is not None:
            zones[name] = zone
        self._state.write_text(json.dumps({name: vars(zone) for name, zone in zones.items()}))
        self._write_settings()
        self._control("reload")
        if zone is not None and zone.served:
            wait_until(lambda: self._serves(name), timeout=10, what=f"zone {name} is served")

    def _write_settings(self) -> None:
        text = SETTINGS.format(
            directory=self.directory, address=self.address, port=self.port,
            key_name=self.key_name, algorithm=self.key_algorithm, secret=self.key_secret,
        )  # fmt: skip
        for name, zone in self._zones().items():
            if zone.served:
                text += f'  - domain: "{name}"\n' + ('    acl: "updates"\n' if zone.updates else "")
        self._settings.touch(mode=0o600)
        self._settings.write_text(text)

    def _serves(self, zone: str) -> bool:
        try:
            return bool(self.lookup(zone, "SOA"))
        except LabError:
            return False

    def _answers(self) -> bool:
        try:
            dns.query.udp(dns.message.make_query("version.bind", "TXT", "CH"), self.address, port=self.port, timeout=1)
        except (dns.exception.DNSException, OSError):
            return False
        return True

    def _control(self, *arguments: str, check: bool = True) -> None:
        execute(["knotc", "-c", self._settings, "-b", *arguments], check=check)
