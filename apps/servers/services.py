"""Servers and keys: every write, and what is asked of a server at once."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from apps.audit import services as audit
from apps.core.exceptions import Conflict, Problem
from apps.core.outgoing import check_address
from apps.operations import services as operations
from apps.operations.models import Operation
from apps.orgs.models import Organization
from apps.orgs.quotas import announced
from apps.servers import facts as facts_of
from apps.servers import keys, states
from apps.servers.facts import Facts
from apps.servers.host import connection, open_host
from apps.servers.models import Server, SSHKey
from apps.servers.objections import ensure_nothing_at_work, ensure_nothing_placed
from apps.servers.quotas import ensure_server_quota

SLUG_ATTEMPTS = 100
RESERVED_SLUGS = {"new"}
SETTINGS = ("name", "cpu_overcommit", "http_port", "https_port", "public_address", "network_range")
CONNECTION = ("address", "port", "user")
# No operation relies on these while it runs.
AT_ANY_TIME = {"name", "cpu_overcommit"}
HTTPS_PORT = 443


def generate_key(*, organization: Organization, name: str, actor: Any) -> SSHKey:
    """A new ed25519 key pair of the organization."""
    return _store_key(organization=organization, name=name, pair=keys.generate(), generated=True, actor=actor)


def import_key(*, organization: Organization, name: str, private_key: str, passphrase: str = "", actor: Any) -> SSHKey:
    """Stores a pasted key as it is, with its passphrase. Raises Problem `servers.key_*`."""
    pair = keys.parse(private_key, passphrase)
    return _store_key(
        organization=organization, name=name, pair=pair, text=private_key, passphrase=passphrase, actor=actor
    )


def _store_key(
    *,
    organization: Organization,
    name: str,
    pair: keys.KeyPair,
    actor: Any,
    text: str = "",
    passphrase: str = "",
    generated: bool = False,
) -> SSHKey:
    key = SSHKey(
        organization=organization,
        name=_free_key_name(organization, name),
        public_key=f"{pair.public_key} oecsh",
        private_key=text or pair.private_text,
        passphrase=passphrase,
        fingerprint=pair.fingerprint,
        generated=generated,
    )
    key.full_clean(validate_unique=False, validate_constraints=False)
    with transaction.atomic():
        key.save(force_insert=True)
        _record("ssh_key.added", actor, organization, key, after={"name": key.name, "fingerprint": key.fingerprint})
    return key


def _free_key_name(organization: Organization, name: str) -> str:
    taken = set(SSHKey.objects.filter(organization=organization).values_list("name", flat=True))
    numbered = (name if number == 1 else f"{name[:90]} ({number})" for number in range(1, SLUG_ATTEMPTS))
    return next(candidate for candidate in numbered if candidate not in taken)


def remove_key(*, key: SSHKey, actor: Any) -> None:
    """Deletes a key. Raises Conflict `servers.key_in_use`."""
    with transaction.atomic():
        if key.servers.exists():
            raise Conflict("servers.key_in_use", name=key.name)
        _record("ssh_key.removed", actor, key.organization, key, before={"name": key.name})
        key.delete()


@announced
@transaction.atomic
def add_server(
    *,
    organization: Organization,
    name: str,
    address: str,
    actor: Any,
    port: int = 22,
    user: str = "root",
    ssh_key: SSHKey | None = None,
    private_key: str = "",
    passphrase: str = "",
    **settings: Any,
) -> Server:
    """A new server, pending: its host key is not confirmed yet. Without a key of the organization's and without a
    pasted one, a key pair is made for it. `settings` are fields such as `http_port`.

    Raises ValidationError, Problem `servers.key_*` or `core.address_*`, Conflict `servers.already_added`,
    `orgs.quota_exceeded`, `orgs.leaving`.
    """
    if ssh_key is not None and ssh_key.organization_id != organization.pk:
        raise ValueError("The key belongs to another organization.")
    ensure_server_quota(organization)
    slug = _free_slug(organization, name)
    server = Server(organization=organization, name=name, slug=slug, address=address, port=port, user=user, **settings)
    server.full_clean(exclude=["ssh_key"], validate_unique=False, validate_constraints=False)
    check_public_address(server.public_address)
    _ensure_new(server)
    if ssh_key is None and private_key:
        ssh_key = import_key(
            organization=organization, name=name, private_key=private_key, passphrase=passphrase, actor=actor
        )
    server.ssh_key = ssh_key or generate_key(organization=organization, name=name, actor=actor)
    try:
        with transaction.atomic():
            server.save(force_insert=True)
    except IntegrityError as error:
        raise _duplicate(server) from error
    after = {field: getattr(server, field) for field in (*CONNECTION, *SETTINGS)}
    _record("server.added", actor, organization, server, after=after | {"ssh_key": server.ssh_key.fingerprint})
    return server


def _free_slug(organization: Organization, name: str) -> str:
    base = slugify(name)[:50].strip("-") or "server"
    taken = set(Server.objects.filter(organization=organization).values_list("slug", flat=True)) | RESERVED_SLUGS
    numbered = (base if number == 1 else f"{base}-{number}" for number in range(1, SLUG_ATTEMPTS))
    return next(slug for slug in numbered if slug not in taken)


def _ensure_new(server: Server) -> None:
    same = Server.objects.filter(organization=server.organization, address=server.address, port=server.port)
    found = same.exclude(pk=server.pk).first()
    if found is not None:
        raise Conflict("servers.already_added", name=found.name, address=server.address, port=server.port)


def _duplicate(server: Server) -> Conflict:
    try:
        _ensure_new(server)
    except Conflict as conflict:
        return conflict
    return Conflict("servers.slug_taken", slug=server.slug)


def update_server(*, server: Server, actor: Any, ssh_key: SSHKey | None = None, **fields: Any) -> Server:
    """Changes settings, address or key. Another address or port has another host key to confirm. What concerns the
    proxy (ports) takes effect with the next preparation.

    Raises ValidationError; Conflict `servers.already_added`, and `servers.at_work` for what operations under way rely
    on; Problem `core.address_*` for a public address that is none.
    """
    unknown = set(fields) - {*SETTINGS, *CONNECTION}
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))} cannot be changed.")
    if ssh_key is not None and ssh_key.organization_id != server.organization_id:
        raise ValueError("The key belongs to another organization.")
    wanted = fields if ssh_key is None else fields | {"ssh_key": ssh_key}
    if wanted.get("public_address", server.public_address) != server.public_address:
        check_public_address(wanted["public_address"])
    with transaction.atomic():
        row = Server.objects.select_for_update(of=["self"]).select_related("organization", "ssh_key").get(pk=server.pk)
        before = {name: getattr(row, name) for name, value in wanted.items() if getattr(row, name) != value}
        changed = {name: wanted[name] for name in before}
        for name, value in changed.items():
            setattr(row, name, value)
        row.full_clean(validate_unique=False, validate_constraints=False)
        _ensure_new(row)
        if set(changed) - AT_ANY_TIME:
            ensure_nothing_at_work(row)
        if {"address", "port"} & set(changed):
            changed |= {"host_key": "", "host_key_fingerprint": ""}
        if changed:
            states.update(server, **changed)
            _record("server.changed", actor, row.organization, row, before=before, after=changed)
    return server


def check_public_address(address: str) -> None:
    """What names of ours are to point to is guarded as every address that a person gives. Raises Problem
    `core.address_unknown`, `core.address_not_allowed`."""
    if address:
        check_address(address, HTTPS_PORT)


def scan_host_key(address: str, port: int) -> str:
    """The host key that a server shows now, as `type base64`; its fingerprint is `keys.fingerprint` of it. Nothing is
    trusted by this. Raises ConnectionLost or Problem, see `host.connection`."""
    return connection.scan_host_key(address, port)


def confirm_host_key(*, server: Server, host_key: str, actor: Any) -> Server:
    """Pins the host key that a person has compared. It must be the one that the server shows at this moment: raises
    Problem `servers.host_key_changed` otherwise, Conflict `servers.address_changed` where the server got another
    address while it was asked, and what `scan_host_key` raises."""
    found = scan_host_key(server.address, server.port)
    if found != host_key:
        fingerprints = {"expected": keys.fingerprint(host_key), "found": keys.fingerprint(found)}
        raise Problem("servers.host_key_changed", address=server.address, **fingerprints)
    fingerprint = keys.fingerprint(host_key)
    with transaction.atomic():
        row = Server.objects.select_for_update(of=["self"]).get(pk=server.pk)
        if (row.address, row.port) != (server.address, server.port):
            raise Conflict("servers.address_changed", name=row.name)
        before = row.host_key_fingerprint
        states.update(server, host_key=host_key, host_key_fingerprint=fingerprint)
        action = "server.host_key_replaced" if before else "server.host_key_confirmed"
        fingerprints = {"before": {"fingerprint": before}, "after": {"fingerprint": fingerprint}}
        _record(action, actor, server.organization, server, **fingerprints)
    if before and before != fingerprint:
        sync(server)
    return server


def test_connection(server: Server) -> Facts:
    """Connects, asks, and stores what was seen. Raises ConnectionLost or Problem, and changes no status."""
    with open_host(server) as host:
        found, _ = facts_of.gather(host)
    states.store_facts(server, found)
    return found


def sync(server: Server) -> Server:
    """Sets status and facts to the truth, whatever it is; raises nothing for a server that cannot be reached."""
    try:
        with open_host(server) as host:
            found, _ = facts_of.gather(host)
    except Problem as problem:
        states.not_seen(server, problem)
    else:
        states.seen(server, found)
    return server


@transaction.atomic
def bootstrap(*, server: Server, actor: Any, trigger: str = "manual", take_over: bool = False) -> Operation:
    """Queues the preparation; with `take_over` also of a machine whose own server the platform no longer has. Raises
    Problem `servers.host_key_unknown`, Conflict `operations.task_in_progress`."""
    if not server.host_key:
        raise Problem("servers.host_key_unknown", name=server.name)
    operation = operations.queue(
        kind="servers.bootstrap",
        title=f"Prepare {server.name}",
        subject=server,
        organization=server.organization,
        lock_key=server.lock_key,
        parameters={"take_over": take_over},
        created_by=actor,
        trigger=trigger,
    )
    states.preparing(server)
    _record("server.bootstrap_requested", actor, server.organization, server, after={"take_over": take_over})
    return operation


@transaction.atomic
def remove_server(*, server: Server, actor: Any, only_forget: bool = False) -> Operation:
    """Queues the removal; with `only_forget` nothing is changed on the machine, which may be gone. Raises Conflict
    `servers.removal_refused` while something is placed there, or `operations.task_in_progress`."""
    Server.objects.select_for_update().get(pk=server.pk)
    ensure_nothing_placed(server)
    operation = operations.queue(
        kind="servers.remove",
        title=f"Remove {server.name}",
        subject=server,
        organization=server.organization,
        lock_key=server.lock_key,
        parameters={"only_forget": only_forget},
        created_by=actor,
    )
    _record("server.removal_requested", actor, server.organization, server, after={"only_forget": only_forget})
    return operation


def ensure_ready(server: Server) -> None:
    """Raises Conflict `servers.not_ready` unless new work may be placed there."""
    if not server.is_ready:
        reason = server.status_reason.rstrip(".") or server.get_status_display().lower()
        raise Conflict("servers.not_ready", name=server.name, reason=reason)


def _record(action: str, actor: Any, organization: Organization, target: Any, **changes: Any) -> None:
    audit.record(action=action, actor=actor, organization_id=organization.pk, target=target, **changes)
