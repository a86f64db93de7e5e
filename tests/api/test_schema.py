"""The description of the API: valid, complete, and true. Whatever it allows to be sent is answered as it says."""

from __future__ import annotations

import pytest
import requests
import schemathesis
from django.db import transaction
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from apps.api.documentation import description
from tests.api.conftest import make_program
from tests.api.test_every_endpoint import endpoints

PREFIX = "/api/public/v1/"
EXAMPLES = settings(
    max_examples=12,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]


def test_it_is_valid_openapi():
    validate_schema(description())


def test_it_describes_every_endpoint(client):
    found = client.get(f"{PREFIX}openapi.json").json()
    described = {(path, method) for path, methods in found["paths"].items() for method in methods}
    assert len(described) == len(endpoints())
    assert all(path.startswith(PREFIX) for path, _ in described)
    assert {"bearer", "apiKey"} == set(found["components"]["securitySchemes"])


def test_every_operation_has_a_name_of_its_own():
    operations = [one for methods in description()["paths"].values() for one in methods.values()]
    names = [one["operationId"] for one in operations]
    assert len(set(names)) == len(names)
    assert all({"401", "403", "404", "422", "429", "500"} <= set(one["responses"]) for one in operations)


@pytest.mark.parametrize("page", ["docs/", "redoc/"])
def test_the_pages_need_nobody_elses_host(client, page):
    answer = client.get(f"{PREFIX}{page}")
    assert answer.status_code == 200
    assert b"//" not in answer.content.replace(b"</", b"")
    assert "default-src 'self'" in answer["Content-Security-Policy"]


SCHEMA = schemathesis.openapi.from_dict(description())
# Streams go on for ever; these look for a server outside, which is not there.
LEFT_OUT = ("/events", "/stream", "/branches", "/host-key", "/check")
OPERATIONS = sorted(
    (path, method)
    for path, methods in description()["paths"].items()
    for method in methods
    if not path.endswith(LEFT_OUT)
)


def sent(case, program) -> Response:
    """What the API answers, by Django's own client: nothing closes the test's connection to the database."""
    wanted = requests.Request(**case.as_transport_kwargs(base_url="http://testserver")).prepare()
    headers = {name: str(value) for name, value in wanted.headers.items() if name.lower() != "authorization"}
    answer = program(wanted.method, wanted.path_url.removeprefix(PREFIX[:-1]), wanted.body or "", **headers)
    return Response(
        status_code=answer.status_code,
        headers={name: [value] for name, value in answer.items()},
        content=answer.content,
        request=wanted,
        elapsed=0.0,
        verify=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_whatever_is_sent_is_answered_as_described(world, db, settings, path, method):
    """Generated requests, right ones and wrong ones, to things that exist and to others: no 500, and no answer that is
    not described."""
    for name in ("READS", "WRITES", "WEBHOOK_WRITES"):
        setattr(settings, f"API_{name}_PER_MINUTE", 100_000)
    ids = dict(world.ids)
    program = make_program(world.organization, world.cast.alice)
    ids["key_id"] = ids["api_key_id" if "api-keys" in path else "ssh_key_id"]
    answers = []

    @given(SCHEMA[path][method.upper()].as_strategy())
    @EXAMPLES
    def send(case):
        parts = case.path_parameters or {}
        if len(answers) % 4:  # three of four requests are about something that is there
            case.path_parameters = {name: ids.get(name, value) for name, value in parts.items()}
        point = transaction.savepoint()
        answers.append(sent(case, program))
        transaction.savepoint_rollback(point)
        case.validate_response(answers[-1], checks=CHECKS)

    send()
    assert {answer.status_code for answer in answers} - {401} != set()
