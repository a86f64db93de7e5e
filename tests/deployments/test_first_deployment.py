"""A real Odoo from nothing, through all sixteen steps, and from what was kept of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from apps.core.exceptions import Problem
from apps.deployments import services
from apps.deployments.models import Seed
from apps.environments.models import Environment, Status
from apps.operations.models import LogLine
from tests.cast import Cast
from tests.deployments.conftest import Ground, deploy, statuses, story
from tests.deployments.odoo import Visitor, inspect, query

pytestmark = [pytest.mark.lab, pytest.mark.slow]
OWN = "SELECT value FROM ir_config_parameter WHERE key = '{}'"


@pytest.mark.parametrize("version", ["19.0", "14.0"])
def test_from_nothing_and_from_a_seed(
    cast: Cast, make_environment: Callable[..., Environment], repository: Any, ground: Ground, version: str
) -> None:
    Seed.objects.filter(odoo_version=version).delete()
    cold = make_environment(version=version, repository=repository)
    deployment = deploy(cold, cast.alice)
    assert deployment.status == "success", story(deployment.operation)
    assert cold.status == Status.RUNNING
    assert set(statuses(deployment).values()) == {"completed", "skipped"}
    assert statuses(deployment)["install_base"] == statuses(deployment)["install_addons"] == "completed"
    check_containers(ground, cold)
    check_database(ground, cold)
    check_secrets(ground, cold, deployment)

    seeded = make_environment(version=version, repository=repository)
    deployment = deploy(seeded, cast.alice)
    assert deployment.status == "success", story(deployment.operation)
    assert deployment.seeded
    assert statuses(deployment)["install_base"] == statuses(deployment)["install_addons"] == "skipped"
    for key in ("database.uuid", "database.secret", "web.base.url"):
        assert query(ground.machine, cold, OWN.format(key)) != query(ground.machine, seeded, OWN.format(key)), key
    assert query(ground.machine, seeded, OWN.format("web.base.url")) == [seeded.url]
    assert query(ground.machine, seeded, OWN.format("web.base.url.freeze")) == ["True"]
    check_access(cast, cold, seeded)


def check_containers(ground: Ground, environment: Environment) -> None:
    """Limits, no port, no capability, no root, rotated logs."""
    for part in ("odoo", "db", "pgbouncer"):
        found = inspect(ground.machine, environment, part)
        settings = found["HostConfig"]
        assert found["State"]["Status"] == "running"
        assert not settings["PortBindings"]
        assert settings["CapDrop"] == ["ALL"]
        assert settings["SecurityOpt"] == ["no-new-privileges"]
        assert settings["LogConfig"]["Config"] == {"max-file": "3", "max-size": "10m"}
        assert settings["PidsLimit"] > 0
        assert not found["Config"]["User"].startswith(("0:", "root"))
    allocation = environment.allocation
    odoo, db = (inspect(ground.machine, environment, part)["HostConfig"] for part in ("odoo", "db"))
    assert odoo["Memory"] == odoo["MemorySwap"] == allocation.odoo_memory_megabytes * 2**20
    assert odoo["CpuQuota"] == int(allocation.odoo_cpu * 100_000)
    assert db["CpuQuota"] == int(allocation.postgres_cpu * 100_000)


def check_database(ground: Ground, environment: Environment) -> None:
    """Owned by a role that is no superuser, in collation C, with its extensions."""
    machine = ground.machine
    owner = (
        "SELECT pg_get_userbyid(datdba), datcollate, pg_encoding_to_char(encoding) FROM pg_database WHERE datname = "
    )
    assert query(machine, environment, f"{owner}'{environment.database_name}'") == ["odoo|C|UTF8"]
    role = "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = 'odoo'"
    assert query(machine, environment, role) == ["f|f|f"]
    extensions = query(machine, environment, "SELECT extname FROM pg_extension ORDER BY 1")
    assert {"pg_trgm", "unaccent"} <= set(extensions)
    assert query(machine, environment, "SELECT state FROM ir_module_module WHERE name = 'oecsh_demo'") == ["installed"]


def check_secrets(ground: Ground, environment: Environment, deployment: Any) -> None:
    """In no command line, in no stored line, and in files that only their reader reads."""
    environment.refresh_from_db()
    secrets = [environment.database_password, environment.master_password, environment.admin_password]
    lines = "\n".join(LogLine.objects.filter(operation=deployment.operation).values_list("text", flat=True))
    commands = ground.machine.run(["sh", "-c", "cat /proc/[0-9]*/cmdline"], check=False).stdout
    inspected = "".join(str(inspect(ground.machine, environment, part)) for part in ("odoo", "db", "pgbouncer"))
    for secret in secrets:
        assert secret not in lines
        assert secret not in commands
        assert secret not in inspected
    folder = f"/opt/oecsh/envs/{environment.pk}/config"
    files = ground.machine.run(["find", folder, "-type", "f", "-size", "+0", "-printf", "%m %U\n"]).stdout.split("\n")[
        :-1
    ]
    assert set(files) == {"600 101", "600 999", "600 70"}


def check_access(cast: Cast, cold: Environment, seeded: Environment) -> None:
    """The random password opens, once shown it is never shown again; a link signs in once."""
    login, password = services.reveal_admin_password(environment=seeded, user=cast.alice)
    assert Visitor(seeded).sign_in(seeded, login, password) == 2
    assert Visitor(cold).sign_in(cold, login, password) is None
    assert Visitor(seeded).sign_in(seeded, login, "admin") is None
    with pytest.raises(Problem, match="shown already"):
        services.reveal_admin_password(environment=seeded, user=cast.alice)
    assert not services.check_admin_password(environment=seeded)

    url = services.one_use_login_url(environment=seeded, user=cast.alice)
    path = url.partition(seeded.host_name)[2]
    visitor, second = Visitor(seeded), Visitor(seeded)
    assert visitor.get(path).status_code in (302, 303)
    assert visitor.user() == 2
    assert second.get(path).status_code == 403
    assert second.get("/oecsh/login?token=" + "a" * 43).status_code == 403
    assert second.get("/oecsh/login?token=../../../etc/passwd").status_code == 403
    assert second.get("/oecsh/login").status_code == 403


def test_a_link_is_dead_after_a_minute(
    cast: Cast, make_environment: Callable[..., Environment], ground: Ground
) -> None:
    environment = make_environment(install=["base"])
    deployment = deploy(environment, cast.alice)
    assert deployment.status == "success", story(deployment.operation)
    url = services.one_use_login_url(environment=environment, user=cast.alice)
    folder = f"/opt/oecsh/envs/{environment.pk}/data/oecsh_login"
    ground.machine.run(["sh", "-c", f"touch -d '-61 seconds' {folder}/*"])
    assert Visitor(environment).get(url.partition(environment.host_name)[2]).status_code == 403
    assert ground.machine.run(["ls", folder]).stdout == ""
    changed = "UPDATE res_users SET password = '$pbkdf2-sha512$another' WHERE login = 'admin'"
    query(ground.machine, environment, changed)
    assert services.check_admin_password(environment=environment)
    environment.refresh_from_db()
    assert environment.admin_password_changed
