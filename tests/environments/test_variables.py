"""Variables: names, kinds, secrets, and when they take effect."""

from __future__ import annotations

import json

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from apps.audit.models import Event
from apps.core.exceptions import Conflict, Problem
from apps.core.masking import MASK
from apps.environments.models import EnvironmentVariable
from apps.environments.variables import clean_value, delete_variable, set_variable, validate_key
from tests.factories import make_environment, make_project


@pytest.fixture
def environment(cast):
    return make_environment(make_project(cast.acme), status="running")


def put(cast, environment, key="KEY", value="value", **fields):
    return set_variable(environment=environment, key=key, value=value, actor=cast.alice, **fields)


def test_a_change_waits_for_the_next_deployment(cast, environment):
    put(cast, environment)
    environment.refresh_from_db()
    assert environment.needs_redeploy
    assert environment.pending_changes == ["Variable KEY"]


def test_the_same_value_again_changes_nothing(cast, environment):
    put(cast, environment)
    environment.needs_redeploy = False
    environment.save()
    put(cast, environment)
    environment.refresh_from_db()
    assert not environment.needs_redeploy
    assert Event.objects.filter(action="variable.set").count() == 1


def test_before_the_first_deployment_nothing_waits(cast):
    environment = make_environment(make_project(cast.acme))
    put(cast, environment)
    environment.refresh_from_db()
    assert not environment.needs_redeploy


@pytest.mark.parametrize(
    "key",
    ["", "1A", "A-B", "A B", "A;B", "A=B", "$(id)", "A\nB", "A\0B", "..", "--upload-pack=x", "Ä", "A" * 129, "A\n"],
)
def test_bad_names(cast, environment, key):
    with pytest.raises(ValidationError):
        put(cast, environment, key)


RESERVED = """HOST PORT USER PASSWORD password PGHOST PGPASSWORD ODOO_RC PATH LD_PRELOAD PYTHONPATH PYTHONSTARTUP
LD_LIBRARY_PATH BASH_ENV HOME IFS OECSH_X Path LC_ALL"""


@pytest.mark.parametrize("key", RESERVED.split())
def test_reserved_names(cast, environment, key):
    with pytest.raises(Problem) as caught:
        put(cast, environment, key)
    assert caught.value.code == "environments.reserved_variable"
    assert not EnvironmentVariable.objects.exists()


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("string", "; $(id) `x` ..", "; $(id) `x` .."),
        ("string", "two\nlines", "two\nlines"),
        ("string", "", ""),
        ("number", " 1.5 ", "1.5"),
        ("number", "-3e2", "-3e2"),
        ("boolean", "Yes", "true"),
        ("boolean", "0", "false"),
        ("json", '{"a": [1, null]}', '{"a": [1, null]}'),
        ("json", "1", "1"),
    ],
)
def test_values_of_each_kind(kind, value, stored):
    assert clean_value(kind, value) == stored


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", "a\0b"),
        ("string", "\x1b[31m"),
        ("string", "x" * 32769),
        ("number", ""),
        ("number", "nan"),
        ("number", "inf"),
        ("number", "1_000"),
        ("number", "٣"),
        ("number", "1; rm"),
        ("boolean", "perhaps"),
        ("boolean", ""),
        ("json", "{"),
        ("json", ""),
        ("json", "NaN"),
        ("json", "[" * 100_000),
    ],
)
def test_values_that_are_not_of_their_kind(kind, value):
    with pytest.raises(ValidationError):
        clean_value(kind, value)


def test_another_kind_is_refused(cast, environment):
    with pytest.raises(ValidationError):
        put(cast, environment, kind="code")


@given(st.text(max_size=40))
def test_a_name_that_passes_is_a_name_for_every_shell(text):
    try:
        validate_key(text)
    except (ValidationError, Problem):
        return
    assert text.isascii()
    assert text.isidentifier()


@given(st.text(max_size=200), st.sampled_from(EnvironmentVariable.Kind.values))
def test_a_value_that_passes_stays_of_its_kind(text, kind):
    try:
        value = clean_value(kind, text)
    except ValidationError:
        return
    assert "\0" not in value
    assert clean_value(kind, value) == value
    if kind == "json":
        json.loads(value)
    if kind == "number":
        float(value)


class TestSecrets:
    def test_are_encrypted_and_in_no_answer(self, cast, sign_in, environment):
        put(cast, environment, value="s3cret-value", sensitive=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT value FROM environments_environmentvariable")
            assert "s3cret" not in cursor.fetchone()[0]
        url = reverse("environments:variables", args=["acme", "shop", environment.slug])
        assert "s3cret" not in sign_in(cast.alice).get(url).content.decode()
        assert "s3cret" not in str(list(Event.objects.values()))

    def test_stay_secret(self, cast, environment):
        put(cast, environment, value="s3cret-value", sensitive=True)
        assert put(cast, environment, value="other-value", sensitive=False).sensitive

    def test_a_plain_one_that_becomes_a_secret_leaves_no_trace_of_its_value(self, cast, environment):
        put(cast, environment, value="was-plain-once")
        put(cast, environment, value="s3cret-value", sensitive=True)
        facts = Event.objects.filter(action="variable.set").latest("created_at")
        assert (facts.before["value"], facts.after["value"]) == (MASK, MASK)
        assert "was-plain-once" not in str(facts.before)

    def test_a_plain_one_that_is_declared_secret_as_it_stands(self, cast, environment):
        put(cast, environment, value="was-plain-once")
        put(cast, environment, value="was-plain-once", sensitive=True)
        facts = Event.objects.filter(action="variable.set").latest("created_at")
        assert "was-plain-once" not in str([facts.before, facts.after])

    def test_too_short_to_be_masked(self, cast, environment):
        with pytest.raises(ValidationError):
            put(cast, environment, value="abc", sensitive=True)


class TestPage:
    def url(self, environment):
        return reverse("environments:variables", args=["acme", "shop", environment.slug])

    def test_setting_one(self, cast, sign_in, environment):
        values = {"key": "SMTP_PORT", "kind": "number", "value": "25"}
        assert sign_in(cast.alice).post(self.url(environment), values).status_code == 302
        content = sign_in(cast.bob).get(self.url(environment)).content.decode()
        assert "SMTP_PORT" in content
        assert "Not applied yet" in content

    @pytest.mark.parametrize(
        "values",
        [{"key": "PATH"}, {"key": "A B"}, {"key": "A\nB"}, {"value": "a\0b"}, {"kind": "number", "value": "x"}],
    )
    def test_bad_input_stands_beside_its_field(self, cast, sign_in, environment, values):
        good = {"key": "KEY", "kind": "string", "value": "value"}
        response = sign_in(cast.alice).post(self.url(environment), good | values)
        assert response.status_code == 422
        assert not EnvironmentVariable.objects.exists()

    def test_who_may(self, cast, sign_in, environment):
        url = self.url(environment)
        assert sign_in(cast.bob).get(url).status_code == 200
        assert sign_in(cast.bob).post(url, {}).status_code == 403
        assert sign_in(cast.vera).post(url, {}).status_code == 403
        assert sign_in(cast.charlie).get(url).status_code == 404

    def test_removing_one(self, cast, sign_in, environment):
        variable = put(cast, environment)
        url = reverse("environments:variable_delete", args=["acme", "shop", environment.slug, variable.pk])
        assert sign_in(cast.bob).post(url).status_code == 403
        assert sign_in(cast.charlie).post(url).status_code == 404
        client = sign_in(cast.alice)
        assert client.get(url).status_code == 405
        assert client.post(url).status_code == 302
        assert client.post(url).status_code == 404

    def test_one_of_another_environment(self, cast, sign_in, environment):
        other = put(cast, make_environment(environment.project, "staging"))
        url = reverse("environments:variable_delete", args=["acme", "shop", environment.slug, other.pk])
        assert sign_in(cast.alice).post(url).status_code == 404


@pytest.mark.parametrize("status", ["deploying", "cloning", "destroying"])
def test_not_while_something_else_changes_it(cast, status):
    environment = make_environment(make_project(cast.acme), status=status)
    with pytest.raises(Conflict):
        put(cast, environment)
    variable = EnvironmentVariable.objects.create(environment=environment, key="A", value="b")
    with pytest.raises(Conflict):
        delete_variable(variable=variable, actor=cast.alice)
