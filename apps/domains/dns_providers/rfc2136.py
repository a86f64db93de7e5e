"""Dynamic updates (RFC 2136) signed with TSIG (RFC 8945): Knot, BIND, PowerDNS, Windows …"""

from __future__ import annotations

from typing import Any

import dns.exception
import dns.inet
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring
import dns.update

from apps.core.exceptions import Problem
from apps.core.outgoing import check_address
from apps.domains.dns_lookup import NameServer, value_of
from apps.domains.dns_providers.base import DnsWriter

SECONDS = 10.0
# https://www.iana.org/assignments/tsig-algorithm-names
ALGORITHMS = ("hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha224", "hmac-sha1")


class Rfc2136Writer(DnsWriter):
    """Settings: `server`, `port` (53), `key_name`, `key_algorithm` (hmac-sha256), `zone`; credential: `key_secret`."""

    needed_settings = ("server", "key_name")
    needed_credentials = ("key_secret",)
    propagation_seconds = 60
    smallest_ttl = 1

    def check_settings(self) -> None:
        """The server's address and the key."""
        self._address()
        self._update("test")

    def has_zone(self, zone: str) -> bool:
        """True where the server answers with the zone's own SOA."""
        query = dns.message.make_query(_absolute(zone), "SOA")
        answer = self._ask(query)
        authoritative = bool(answer.flags & dns.flags.AA) and answer.rcode() == dns.rcode.NOERROR
        return authoritative and any(
            rrset.rdtype == dns.rdatatype.SOA and rrset.name == _absolute(zone) for rrset in answer.answer
        )

    def values(self, zone: str, name: str, record_type: str) -> list[str]:
        """As the server has it."""
        answer = self._ask(dns.message.make_query(_absolute(name), record_type))
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            raise self.problem("domains.dns_refused", name=name, words=dns.rcode.to_text(answer.rcode()))
        wanted = dns.rdatatype.from_text(record_type)
        found = [rrset for rrset in answer.answer if rrset.rdtype == wanted and rrset.name == _absolute(name)]
        return [value_of(record) for rrset in found for record in rrset]

    def add(self, zone: str, name: str, record_type: str, value: str, ttl: int) -> None:
        """One signed update message, atomic on the server (RFC 2136, section 3.4)."""
        update = self._update(zone)
        update.add(_absolute(name), ttl, record_type, _wire_text(record_type, value))
        self._send(update, zone, name)

    def remove(self, zone: str, name: str, record_type: str, value: str) -> None:
        """One signed update message; deleting what is not there is no error."""
        update = self._update(zone)
        update.delete(_absolute(name), record_type, _wire_text(record_type, value))
        self._send(update, zone, name)

    def name_servers(self, zone: str) -> list[NameServer]:
        """The configured ones; else the delegation's; else the server that is updated."""
        if self.settings.get("name_servers"):
            return super().name_servers(zone)
        return [NameServer(self._address(), self._port)]

    @property
    def _port(self) -> int:
        return int(self.settings.get("port") or 53)

    def _address(self) -> str:
        return check_address(self.settings["server"], self._port)[0]

    def _update(self, zone: str) -> dns.update.UpdateMessage:
        algorithm = self.settings.get("key_algorithm") or ALGORITHMS[0]
        name = self.settings["key_name"]
        try:
            if algorithm not in ALGORITHMS:
                raise ValueError(f"{algorithm} is not among {', '.join(ALGORITHMS)}")
            keyring = dns.tsigkeyring.from_text({name: (algorithm, self.credentials["key_secret"])})
        except (ValueError, dns.exception.DNSException) as error:
            words = f"the TSIG key cannot be used ({error})"
            raise self.problem("domains.dns_settings_incomplete", missing=words) from error
        return dns.update.UpdateMessage(_absolute(zone), keyring=keyring, keyname=dns.name.from_text(name))

    def _ask(self, query: dns.message.Message) -> dns.message.Message:
        return self._exchange(lambda address: dns.query.udp_with_fallback(query, address, SECONDS, self._port)[0])

    def _send(self, update: dns.update.UpdateMessage, zone: str, name: str) -> None:
        try:
            answer = self._exchange(lambda address: dns.query.tcp(update, address, SECONDS, self._port))
        except dns.tsig.PeerError as error:
            raise self.problem("domains.dns_credentials_refused", zone=zone, words=_words(error)) from error
        except dns.tsig.BadSignature as error:
            words = "the answer's signature does not fit the key"
            raise self.problem("domains.dns_credentials_refused", zone=zone, words=words) from error
        code = answer.rcode()
        if code == dns.rcode.NOTAUTH:
            words = "NOTAUTH (the key is not known there, or the server does not hold the zone)"
            raise self.problem("domains.dns_credentials_refused", zone=zone, words=words)
        if code != dns.rcode.NOERROR:
            raise self.problem("domains.dns_refused", name=name, words=dns.rcode.to_text(code))

    def _exchange(self, call: Any) -> Any:
        try:
            return call(self._address())
        except (dns.tsig.PeerError, dns.tsig.BadSignature, Problem):
            raise
        except (dns.exception.DNSException, OSError, EOFError) as error:
            raise self.problem("domains.dns_unreachable", words=str(error) or type(error).__name__) from error


def _absolute(name: str) -> dns.name.Name:
    return dns.name.from_text(f"{name}.")


def _wire_text(record_type: str, value: str) -> str:
    if record_type == "TXT":
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return f"{value}." if record_type == "CNAME" else value


def _words(error: dns.tsig.PeerError) -> str:
    kinds = {
        dns.tsig.PeerBadKey: "BADKEY (the server does not know a key of this name, or it may not change this zone)",
        dns.tsig.PeerBadSignature: "BADSIG (the key's secret is wrong)",
        dns.tsig.PeerBadTime: "BADTIME (the clocks differ by more than five minutes)",
        dns.tsig.PeerBadTruncation: "BADTRUNC",
    }
    return kinds.get(type(error), str(error))
