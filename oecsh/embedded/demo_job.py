"""The demo's main job, done by the services that the portal's pages call: a person, an organization, a server over SSH,
a project from Git, an environment, and its sixteen steps. Every part that is there already is left as it is."""

from __future__ import annotations

import json
import secrets
import sys
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import django

from oecsh.embedded import control_plane
from oecsh.embedded.demo import BASE_DOMAIN, RESULT, demo_lab
from oecsh.embedded.demo_people import ensure_api_key, ensure_people, show_people
from oecsh.embedded.progress import say

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.domains.models import BaseDomain
    from apps.environments.models import Environment
    from apps.operations.models import Operation
    from apps.orgs.models import Organization
    from apps.projects.models import Project
    from apps.servers.models import Server

EMAIL = "alice@example.com"
# The demo's machine is shared with the control plane and with whatever else runs on it.
CPU_OVERCOMMIT = Decimal(4)
POLL_SECONDS = 0.2
ADDRESS = "127.0.0.1"


def main() -> int:
    """Does it, shows each step, and says where to look."""
    facts = json.loads((control_plane.RUN_DIRECTORY / "demo-lab.json").read_text())
    try:
        result = _do(facts)
    except _OperationFailed as failure:
        say(str(failure))
        return 1
    RESULT.touch(mode=0o600)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    _say_where_to_look(result, facts)
    return 0


def _do(facts: dict[str, str]) -> dict[str, Any]:
    user, password = _ensure_person()
    organization = _ensure_organization(user)
    base_domain = _ensure_base_domain(user, facts)
    server = _ensure_server(organization, user, facts)
    _ensure_certificate(base_domain, user)
    project = _ensure_project(organization, user, facts["repository_url"])
    people = ensure_people(organization, project, user, password)
    environment = _ensure_environment(project, server, user)
    return {
        "portal_url": control_plane.read_environment()["PORTAL_URL"],
        "email": user.email,
        "password": password,
        "environment_id": str(environment.pk),
        "environment_url": environment.url,
        "environment_host": environment.host_name,
        "odoo_login": environment.admin_login,
        "odoo_password": environment.admin_password,
        "people": people,
        "api_key": ensure_api_key(organization, user),
    }


def _ensure_person() -> tuple[User, str]:
    from apps.accounts.models import User

    known = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    user = User.objects.filter(email=EMAIL).first()
    password = known.get("password") or secrets.token_urlsafe(9) + "-Aa1"
    if user is None:
        say(f"Person: {EMAIL}, who is platform staff as well")
        user = User.objects.create_superuser(EMAIL, password, display_name="Alice")
    elif not user.check_password(password):
        user.set_password(password)
        user.save()
    return user, password


def _ensure_organization(user: User) -> Organization:
    from apps.orgs.models import Organization
    from apps.orgs.services import create_organization

    found = Organization.objects.filter(slug="acme").first()
    if found is None:
        say("Organization: Acme")
    return found or create_organization(name="Acme", owner=user)


def _ensure_base_domain(user: User, facts: dict[str, str]) -> BaseDomain:
    """Platform staff's part: the base domain, and who writes its DNS records."""
    from apps.domains.base_domains import default_base_domain
    from apps.domains.models import DnsProvider

    base_domain = default_base_domain()
    if "dns_port" not in facts:
        return base_domain
    provider, _ = DnsProvider.objects.get_or_create(organization=None, name="Demo", defaults={"kind": "rfc2136"})
    provider.settings = {
        "server": facts["dns_address"],
        "port": int(facts["dns_port"]),
        "key_name": facts["dns_key_name"],
        "key_algorithm": facts["dns_key_algorithm"],
        "zone": BASE_DOMAIN,
    }
    provider.credentials = json.dumps({"key_secret": facts["dns_key_secret"]})
    provider.save()
    if base_domain.dns_provider_id != provider.pk:
        say(f"Base domain: {BASE_DOMAIN}, its records written by dynamic updates")
        base_domain.dns_provider = provider
        base_domain.save()
    return base_domain


def _ensure_certificate(base_domain: BaseDomain, user: User) -> None:
    """Asks for the wildcard certificate; deployments do not wait for it."""
    from apps.domains.issuing import issue_wildcard

    known = base_domain.wildcard_certificate
    if base_domain.dns_provider_id is None or (known is not None and known.is_usable):
        return
    operation = issue_wildcard(base_domain, user=user)
    if operation is not None:
        say(f"Certificate for *.{base_domain}: ordered from the demo's certificate authority")
        _follow(operation)


def _ensure_server(organization: Organization, user: User, facts: dict[str, str]) -> Server:
    from apps.servers import services
    from apps.servers.keys import fingerprint

    server = organization.servers.filter(address=ADDRESS, port=int(facts["ssh_port"])).first()
    if server is None:
        say(f"Server: this machine, over SSH at {ADDRESS}:{facts['ssh_port']}")
        server = services.add_server(
            organization=organization,
            name="This machine",
            address=ADDRESS,
            port=int(facts["ssh_port"]),
            user=facts["ssh_user"],
            actor=user,
            cpu_overcommit=CPU_OVERCOMMIT,
            http_port=int(facts["http_port"]),
            https_port=int(facts["https_port"]),
        )
    demo_lab().authorize(server.ssh_key.public_key)
    host_key = services.scan_host_key(server.address, server.port)
    if server.host_key != host_key:
        say(f"Server: its host key {fingerprint(host_key)} is confirmed and pinned")
        services.confirm_host_key(server=server, host_key=host_key, actor=user)
        server.refresh_from_db()
    if server.bootstrapped_at is None:
        _forget_earlier_demo(server)
    if not server.is_ready or not _proxy_runs(server):
        say("Server: preparing it")
        _follow(services.bootstrap(server=server, actor=user))
        server.refresh_from_db()
    return server


def _forget_earlier_demo(server: Server) -> None:
    """The database of an earlier demo may have been deleted; nobody but demos uses this machine as a server."""
    from apps.servers import owner
    from apps.servers.host import open_host

    with open_host(server) as host:
        owner.release(host)


def _proxy_runs(server: Server) -> bool:
    """Whether it was prepared and is still up: the machine may have been restarted since."""
    from apps.servers.host import open_host

    with open_host(server) as host:
        return bool(host.docker.containers.list(filters={"name": "oecsh_proxy"}))


def _ensure_project(organization: Organization, user: User, repository_url: str) -> Project:
    from apps.projects.services import create_project

    found = organization.projects.filter(slug="shop").first()
    if found is None:
        say(f"Project: Shop, Odoo 19.0, addons from {repository_url}")
    return found or create_project(
        organization=organization, name="Shop", odoo_version="19.0", repository_url=repository_url, actor=user
    )


def _ensure_environment(project: Project, server: Server, user: User) -> Environment:
    from apps.deployments.services import deploy
    from apps.environments.services import create_environment

    environment = project.environments.filter(destroyed_at=None).first()
    if environment is None:
        environment = create_environment(
            project=project, environment_type="development", server=server, actor=user, name="Shop development"
        )
        say(f"Environment: {environment.host_name}")
    if not _is_up(environment):
        say("Deployment: sixteen steps")
        _follow(deploy(environment=environment, user=user).operation)
        environment.refresh_from_db()
    return environment


def _is_up(environment: Environment) -> bool:
    from apps.domains.probing import probe

    if environment.status != "running":
        return False
    answers = (probe(environment.server, environment.host_name, "/web/login", tls=tls) for tls in (True, False))
    return any(answer.status == 200 for answer in answers)


class _OperationFailed(Exception):
    """An operation of the demo did not end well."""


def _follow(operation: Operation) -> None:
    """Shows the steps of an operation until it ends. Raises _OperationFailed."""
    shown: dict[int, str] = {}
    while True:
        operation.refresh_from_db()
        for step in operation.steps.order_by("position"):
            if step.status != shown.get(step.position) and step.status not in ("pending", "queued", "running"):
                took = (step.finished_at - step.started_at).total_seconds() if step.started_at else 0
                say(f"   {step.position:2d}  {step.title:<44} {step.status:<10} {took:5.1f} s")
                shown[step.position] = step.status
        if operation.is_finished:
            break
        time.sleep(POLL_SECONDS)
    if operation.status != "completed":
        lines = "\n".join(line.text for line in operation.lines.order_by("-sequence")[:20][::-1])
        raise _OperationFailed(f"{operation.title} {operation.status}: {operation.error}\n{operation.hint}\n{lines}")


def _say_where_to_look(result: dict[str, Any], facts: dict[str, str]) -> None:
    print()
    print(f"  Portal   {result['portal_url']}")
    show_people(result["people"])
    print(f"  Admin    {result['portal_url']}/admin/")
    print(f"  API      {result['portal_url']}/api/public/v1/docs/")
    print(f"           {result['api_key']}")
    print(f"  Odoo     {result['environment_url']}")
    print(f"           {result['odoo_login']}  {result['odoo_password']}")
    if "mail_address" in facts:
        print(f"  Mail     {facts['mail_address']}")
    print("\n  The certificate comes from the demo's own authority: the browser asks once whether to go on.")
    print("  `make down` stops everything.")


if __name__ == "__main__":
    control_plane.load_environment()
    django.setup()
    sys.exit(main())
