"""The control plane's own log holds no secret and names the operation."""

from __future__ import annotations

import io
import json
import logging
import logging.config

import structlog

from oecsh.logging import configuration


def logged(action) -> dict:
    stream = io.StringIO()
    settings = configuration(level="INFO", as_json=True)
    settings["handlers"]["events"]["stream"] = stream
    logging.config.dictConfig(settings)
    try:
        action()
    finally:
        logging.config.dictConfig(configuration(level="INFO", as_json=True))
    return json.loads(stream.getvalue().splitlines()[0])


def test_secrets_known_by_their_form_are_masked():
    event = logged(lambda: logging.getLogger("x").error("fetch https://bot:planted@host/a.git failed"))
    assert "planted" not in event["event"]
    assert event["level"] == "error"


def test_the_ids_of_the_operation_are_on_every_line():
    with structlog.contextvars.bound_contextvars(operation="op-1", step="clone"):
        event = logged(lambda: logging.getLogger("x").info("hello"))
    assert (event["operation"], event["step"]) == ("op-1", "clone")


def test_a_traceback_is_masked_too():
    def fail():
        try:
            raise ValueError("postgres://oecsh:planted@host/db")
        except ValueError:
            logging.getLogger("x").exception("broken")

    assert "planted" not in json.dumps(logged(fail))
