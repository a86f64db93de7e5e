"""Creating, changing and resizing environments by their services and their pages."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from apps.audit.models import Event
from apps.core.exceptions import Conflict, Problem
from apps.environments.models import Environment
from apps.environments.services import create_environment, resize, update_environment
from apps.operations.models import Operation
from tests.factories import make_environment, make_project, make_server


@pytest.fixture
def project(cast):
    return make_project(cast.acme)


def page(name, environment=None, **more):
    parts = ["acme", "shop", *([environment.slug] if environment else [])]
    return reverse(f"environments:{name}", args=[*parts, *more.values()])


class TestCreating:
    def test_everything_has_a_default(self, cast, project):
        environment = make_environment(project, "staging")
        assert (environment.status, environment.branch, environment.auto_deploy) == ("pending", "main", False)
        assert (environment.cpu, environment.memory_megabytes, environment.workers) == (2, 4096, 4)
        assert environment.tuned_fields == []
        passwords = [environment.database_password, environment.master_password, environment.admin_password]
        assert len(set(passwords)) == 3
        assert min(map(len, passwords)) == 40

    def test_on_its_page(self, cast, sign_in, project):
        server = make_server(cast.acme)
        values = {"environment_type": "production", "server": server.pk, "branch": "19.0", "memory_gigabytes": "6.5"}
        response = sign_in(cast.alice).post(page("create"), values)
        environment = Environment.objects.get()
        assert response["Location"] == page("overview", environment)
        assert (environment.server, environment.branch, environment.memory_megabytes) == (server, "19.0", 6656)
        assert Event.objects.filter(action="environment.created").exists()

    def test_the_page_shows_what_would_come_out(self, cast, sign_in, project):
        server = make_server(cast.acme, memory_megabytes=4608)
        values = {"environment_type": "production", "server": server.pk}
        content = sign_in(cast.alice).post(page("preview"), values).content.decode()
        assert "shop-production.apps.localhost" in content
        assert "8 workers" in content
        assert "Not enough memory is free." in content
        assert not Environment.objects.exists()

    @pytest.mark.parametrize(
        "values",
        [
            {"environment_type": "test"},
            {"environment_type": ""},
            {"branch": "--upload-pack=x"},
            {"branch": "a;b"},
            {"branch": "a\nb"},
            {"branch": "$(id)"},
            {"name": "a\0b"},
            {"cpu": "0"},
            {"cpu": "-1"},
            {"cpu": "NaN"},
            {"cpu": "1e9"},
            {"memory_gigabytes": "0.1"},
            {"disk_gigabytes": "0"},
            {"server": "00000000-0000-0000-0000-000000000000"},
            {"deploy": "on"},
        ],
        ids=str,
    )
    def test_bad_input(self, cast, sign_in, project, values):
        response = sign_in(cast.alice).post(page("create"), {"environment_type": "development"} | values)
        assert response.status_code == 422
        assert not Environment.objects.exists()

    def test_a_full_server_is_told_on_the_page(self, cast, sign_in, project):
        server = make_server(cast.acme, cpu_count=1)
        values = {"environment_type": "production", "server": server.pk}
        response = sign_in(cast.alice).post(page("create"), values)
        assert response.status_code == 422
        assert "4 cores wanted, 1 cores free" in response.content.decode()

    def test_a_server_of_others_does_not_exist(self, cast, sign_in, project):
        theirs = make_server(cast.umbrella)
        values = {"environment_type": "production", "server": theirs.pk}
        assert sign_in(cast.alice).post(page("create"), values).status_code == 422
        with pytest.raises(ValidationError):
            make_environment(project, server=theirs)

    @pytest.mark.parametrize("name", ["create", "preview"])
    def test_who_may(self, cast, sign_in, project, name):
        url = page(name)
        assert sign_in(cast.charlie).post(url).status_code == 404
        assert sign_in(cast.bob).post(url).status_code == 403
        assert sign_in(cast.vera).post(url).status_code == 403
        assert sign_in(cast.alice).delete(url).status_code == 405


class TestSettings:
    def values(self, **more):
        return {"name": "Shop", "branch": "main", "pool_mode": "session", "use_pgbouncer": "on"} | more

    def test_what_a_deployment_has_to_apply_is_said(self, cast, sign_in, project):
        environment = make_environment(project, status="running")
        values = self.values(branch="19.0", workers="3", odoo_parameters="limit_time_cpu = 90\nlog_level = debug")
        assert sign_in(cast.alice).post(page("settings", environment), values).status_code == 302
        environment.refresh_from_db()
        assert (environment.workers, environment.tuned_fields) == (3, ["workers"])
        assert environment.odoo_parameters == {"limit_time_cpu": "90", "log_level": "debug"}
        assert environment.needs_redeploy
        assert {"Branch", "Workers", "odoo.conf"} <= set(environment.pending_changes)
        assert "Deploy now" in sign_in(cast.bob).get(page("overview", environment)).content.decode()

    def test_the_name_alone_needs_no_deployment(self, cast, project):
        environment = make_environment(project, status="running")
        update_environment(environment=environment, actor=cast.alice, name="Main shop", auto_deploy=True)
        environment.refresh_from_db()
        assert (environment.name, environment.auto_deploy, environment.needs_redeploy) == ("Main shop", True, False)

    def test_a_chosen_number_is_given_back(self, cast, project):
        environment = make_environment(project, "production", workers=4)
        assert environment.workers == 4
        update_environment(environment=environment, actor=cast.alice, workers=None)
        environment.refresh_from_db()
        assert (environment.workers, environment.tuned_fields) == (8, [])

    @pytest.mark.parametrize(
        "values",
        [
            {"name": ""},
            {"branch": "--x"},
            {"workers": "65"},
            {"workers": "-1"},
            {"db_maxconn": "500"},
            {"pool_size": "5", "db_maxconn": "8"},
            {"pool_mode": "statement"},
            {"odoo_parameters": "addons_path = /etc"},
            {"odoo_parameters": "admin_passwd = x"},
            {"odoo_parameters": "db_password = x"},
            {"odoo_parameters": "nonsense"},
            {"odoo_parameters": "limit_time_cpu = 1; rm"},
            {"odoo_parameters": "smtp_server = a\x0bb"},
            {"postgres_parameters": "archive_command = touch /tmp/x"},
            {"postgres_parameters": "work_mem = 4MB -c shared_preload_libraries=x"},
            {"postgres_parameters": "listen_addresses = *"},
        ],
        ids=str,
    )
    def test_bad_input(self, cast, sign_in, project, values):
        environment = make_environment(project, status="running")
        response = sign_in(cast.alice).post(page("settings", environment), self.values(**values))
        assert response.status_code == 422
        environment.refresh_from_db()
        assert not environment.needs_redeploy

    def test_too_many_connections_are_shown_as_a_sum(self, cast, sign_in, project):
        environment = make_environment(project, "production")
        response = sign_in(cast.alice).post(
            page("settings", environment), self.values(db_maxconn="64", pool_size="100")
        )
        assert "(8 workers + 2 cron + 1 gevent) x db_maxconn 64 = 704" in response.content.decode()

    def test_the_server_is_chosen_before_the_first_deployment_only(self, cast, project):
        server, other = make_server(cast.acme), make_server(cast.acme)
        environment = make_environment(project)
        environment = update_environment(environment=environment, actor=cast.alice, server=server)
        assert environment.subnet == "10.96.0.0/28"
        environment = update_environment(environment=environment, actor=cast.alice, server=other)
        assert environment.server == other
        Environment.objects.filter(pk=environment.pk).update(status="running")
        with pytest.raises(Conflict) as caught:
            update_environment(environment=environment, actor=cast.alice, server=server)
        assert caught.value.code == "environments.server_is_fixed"

    @pytest.mark.parametrize("status", ["deploying", "cloning", "destroying", "deleted"])
    def test_not_while_something_else_changes_it(self, cast, project, status):
        environment = make_environment(project, status=status)
        with pytest.raises(Conflict) as caught:
            update_environment(environment=environment, actor=cast.alice, name="x")
        assert caught.value.code == "environments.not_editable"

    def test_who_may(self, cast, sign_in, project):
        environment = make_environment(project)
        url = page("settings", environment)
        assert sign_in(cast.vera).get(url).status_code == 200
        assert sign_in(cast.bob).post(url, self.values()).status_code == 403
        assert sign_in(cast.charlie).get(url).status_code == 404


class TestResizing:
    def sizes(self, cpu="4", memory="8", disk="20"):
        return {"cpu": cpu, "memory_gigabytes": memory, "disk_gigabytes": disk}

    def test_a_running_one_is_resized_by_an_operation(self, cast, sign_in, project):
        environment = make_environment(project, server=make_server(cast.acme), status="running")
        assert sign_in(cast.alice).post(page("resize", environment), self.sizes()).status_code == 302
        operation = Operation.objects.get()
        assert operation.kind == "environment.resize"
        assert operation.lock_key == f"environment:{environment.pk}"
        assert operation.parameters["previous"] == {"cpu": "1", "memory_megabytes": 2048, "disk_megabytes": 10240}
        environment.refresh_from_db()
        assert (environment.cpu, environment.memory_megabytes, environment.workers) == (4, 8192, 8)
        assert "Workers" in environment.pending_changes

    def test_a_pending_one_just_changes(self, cast, sign_in, project):
        environment = make_environment(project)
        sign_in(cast.alice).post(page("resize", environment), self.sizes())
        environment.refresh_from_db()
        assert environment.memory_megabytes == 8192
        assert not Operation.objects.exists()

    def test_twice_is_refused_while_the_first_is_under_way(self, cast, project):
        environment = make_environment(project, server=make_server(cast.acme), status="running")
        numbers = {"memory_megabytes": 4096, "disk_megabytes": 10240, "actor": cast.alice}
        resize(environment=environment, cpu=Decimal(1), **numbers)
        assert resize(environment=environment, cpu=Decimal(1), **numbers) is None
        with pytest.raises(Conflict) as caught:
            resize(environment=environment, cpu=Decimal(2), **numbers)
        assert caught.value.code == "operations.task_in_progress"
        environment.refresh_from_db()
        assert environment.cpu == 1

    @pytest.mark.parametrize("values", [{"cpu": "0"}, {"cpu": ""}, {"memory": "0.25"}, {"disk": "x"}, {"cpu": "999"}])
    def test_bad_input(self, cast, sign_in, project, values):
        environment = make_environment(project)
        response = sign_in(cast.alice).post(page("resize", environment), self.sizes(**values))
        assert response.status_code == 422

    def test_chosen_workers_that_no_longer_fit(self, cast, project):
        environment = make_environment(project, "production", workers=16)
        with pytest.raises(Problem) as caught:
            resize(
                environment=environment, cpu=Decimal(1), memory_megabytes=2048, disk_megabytes=10240, actor=cast.alice
            )
        assert caught.value.code == "environments.too_many_workers"

    def test_who_may(self, cast, sign_in, project):
        url = page("resize", make_environment(project))
        assert sign_in(cast.charlie).post(url).status_code == 404
        assert sign_in(cast.bob).post(url).status_code == 403
        assert sign_in(cast.alice).get(url).status_code == 405


def test_a_deployment_with_creation_is_all_or_nothing(cast, project):
    server = make_server(cast.acme)
    environment = create_environment(
        project=project, environment_type="development", actor=cast.alice, server=server, deploy=True
    )
    environment.refresh_from_db()
    assert environment.status == "deploying"
    assert Operation.objects.get().subject_id == environment.pk
