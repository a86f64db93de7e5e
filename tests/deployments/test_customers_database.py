"""Inside a customer's database every name means what the customer wants it to: nothing there runs with more rights than
the customer's own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from apps.deployments import passwords
from apps.environments.models import Environment
from apps.environments.render_specification import specification_of
from apps.environments.runtime_database import module_states, run_sql, size_megabytes
from apps.servers.host import open_host
from tests.cast import Cast
from tests.deployments.conftest import Ground, deploy, story
from tests.deployments.odoo import query

pytestmark = [pytest.mark.lab, pytest.mark.slow]
ODD_NAME = 'odd\nname|with "all" that\'s possible\\'
ODD_MODULE = """INSERT INTO ir_module_module (name) VALUES (E'odd\\nname|with "all" that''s possible\\\\')"""
SPY = """
SET ROLE odoo;
CREATE TABLE public.spied (who text, is_superuser bool);
CREATE FUNCTION public.spy(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO public.spied SELECT session_user, rolsuper FROM pg_roles WHERE rolname = session_user; RETURN $1;
END $$;
ALTER TABLE public.res_users RENAME TO real_users;
CREATE VIEW public.res_users AS SELECT login, public.spy(password) AS password FROM public.real_users;
ALTER TABLE public.ir_module_module RENAME TO real_modules;
CREATE VIEW public.ir_module_module AS
  SELECT name, public.spy(state) AS state, latest_version FROM public.real_modules WHERE name IN ('base', 'web');
"""


def test_what_a_customer_puts_there_never_runs_as_superuser(
    cast: Cast, make_environment: Callable[..., Environment], ground: Ground
) -> None:
    environment = make_environment()
    deployment = deploy(environment, cast.alice)
    assert deployment.status == "success", story(deployment.operation)
    specification = specification_of(environment)
    with open_host(environment.server) as host:
        assert not passwords.is_changed(host, environment, specification)
        query(ground.machine, environment, ODD_MODULE)
        states = module_states(host, specification)
        assert states["base"][0] == "installed"
        assert states[ODD_NAME] == ("", "")
        assert size_megabytes(host, specification) > 0

        query(ground.machine, environment, SPY)
        assert not passwords.is_changed(host, environment, specification)
        assert set(module_states(host, specification)) == {"base", "web"}
        found = set(query(ground.machine, environment, "SELECT who, is_superuser FROM public.spied"))
        assert found == {"odoo|f"}

        # The superuser's own statements mean PostgreSQL's things, whatever lies in the schema that all may write to.
        shown = run_sql(host, specification, "SHOW search_path; SELECT session_user;")
        assert shown == ["pg_catalog", "postgres"]
        shown = run_sql(host, specification, "SELECT session_user;", database=specification.database_name)
        assert shown == ["odoo"]
