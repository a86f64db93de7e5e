"""Certificates on servers: key and chain in files that the proxy reads, and where they lie in our books."""

from __future__ import annotations

import time
from pathlib import PurePosixPath

from apps.core import clock
from apps.core.exceptions import Problem
from apps.domains import routes, routing
from apps.domains.models import Certificate, CertificateDelivery
from apps.domains.probing import ProbeResult, probe
from apps.domains.progress import Progress, quiet
from apps.servers import paths
from apps.servers.host import Host
from apps.servers.models import Server

SECONDS_UNTIL_SHOWN = 15.0
SECONDS_BETWEEN_LOOKS = 0.05


def deliver(certificate: Certificate, *, host: Host, server: Server, run: Progress = quiet) -> bool:
    """Makes the server's proxy show the present state of the certificate; True where something was written.

    The files carry the fingerprint in their names, so that the proxy never reads a key beside another's chain.
    Raises Problem `domains.certificate_not_shown`.
    """
    row = CertificateDelivery.objects.filter(certificate=certificate, server=server).first()
    in_place = row is not None and row.fingerprint == certificate.fingerprint and not row.error
    if in_place and host.files.exists(list_path(certificate)):
        return False
    routing.ensure_shared(host)
    chain, key = _file(certificate, "crt"), _file(certificate, "key")
    host.files.write(key, certificate.private_key, mode=0o600)
    host.files.write(chain, certificate.chain, mode=0o644)
    host.files.write(list_path(certificate), routes.render_certificate(str(chain), str(key)), mode=0o644)
    _withdraw_namesakes(certificate, host, server)
    seen = _wait_until_shown(certificate, server, run)
    _remove_files(certificate, host, keep={chain.name, key.name})
    _note(certificate, server, error=str(seen) if seen else "")
    if seen is not None:
        words = seen.error or "it still shows another one."
        raise Problem("domains.certificate_not_shown", server=server, name=certificate, words=words)
    run.info(f"The proxy of {server} shows the certificate for {certificate}.")
    return True


def withdraw(certificate: Certificate, *, host: Host, server: Server) -> None:
    """Removes the certificate from a server. Harmless where it is not there."""
    host.files.remove(list_path(certificate))
    _remove_files(certificate, host, keep=set())
    CertificateDelivery.objects.filter(certificate=certificate, server=server).delete()


def note_failure(certificate: Certificate, server: Server, problem: Problem) -> None:
    """Writes down that the server did not get it, so that the scanner tries again."""
    _note(certificate, server, error=str(problem))


def list_path(certificate: Certificate) -> PurePosixPath:
    """The file by which the proxy knows of the certificate."""
    return paths.routes_directory() / f"certificate-{certificate.pk}.yml"


def _file(certificate: Certificate, suffix: str) -> PurePosixPath:
    return paths.certificates_directory() / f"{certificate.pk}.{certificate.fingerprint[:16]}.{suffix}"


def _withdraw_namesakes(certificate: Certificate, host: Host, server: Server) -> None:
    """Of two certificates with the same names the proxy keeps whichever it read first."""
    namesakes = Certificate.objects.filter(names=certificate.names, deliveries__server=server)
    for other in namesakes.exclude(pk=certificate.pk):
        withdraw(other, host=host, server=server)


def _remove_files(certificate: Certificate, host: Host, *, keep: set[str]) -> None:
    directory = paths.certificates_directory()
    for name in host.files.list(directory):
        if name.startswith(f"{certificate.pk}.") and name not in keep:
            host.files.remove(directory / name)


def _wait_until_shown(certificate: Certificate, server: Server, run: Progress) -> ProbeResult | None:
    """None once the proxy shows it, else what was seen last."""
    # Under a wildcard any label will do; one that no environment can have asks for the wildcard itself.
    name = certificate.names[0].replace("*", "oecsh--look", 1)
    deadline = time.monotonic() + SECONDS_UNTIL_SHOWN
    while True:
        result = probe(server, name, routes.MARK_PATH, tls=True, timeout=2.0)
        if result.fingerprint == certificate.fingerprint:
            return None
        if time.monotonic() > deadline:
            return result
        run.check()
        run.sleep(SECONDS_BETWEEN_LOOKS)


def _note(certificate: Certificate, server: Server, *, error: str) -> None:
    now = clock.now()
    values = {"tried_at": now, "error": error}
    if not error:
        values |= {"fingerprint": certificate.fingerprint, "delivered_at": now}
    CertificateDelivery.objects.update_or_create(certificate=certificate, server=server, defaults=values)
