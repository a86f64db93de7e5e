"""Asking an environment's Odoo and its database, from outside, for assertions."""

from __future__ import annotations

from typing import Any

import requests

from apps.environments.models import Environment
from tests.lab.server import LabServer


class Visitor:
    """A browser that reaches the environment through the server's proxy."""

    def __init__(self, environment: Environment) -> None:
        self.base = f"http://{environment.server.address}"
        self.host = environment.host_name
        self.cookies: dict[str, str] = {}

    def get(self, path: str) -> requests.Response:
        return self._send("GET", path)

    def call(self, path: str, **params: Any) -> dict[str, Any]:
        """JSON-RPC, as Odoo's own pages speak it."""
        answer = self._send("POST", path, json={"jsonrpc": "2.0", "params": params}).json()
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def sign_in(self, environment: Environment, login: str, password: str) -> int | None:
        """The user's number; None for a wrong password."""
        params = {"db": environment.database_name, "login": login, "password": password}
        answer = self._send("POST", "/web/session/authenticate", json={"jsonrpc": "2.0", "params": params}).json()
        return (answer.get("result") or {}).get("uid")

    def user(self) -> int | None:
        """Who is signed in."""
        answer = self._send("POST", "/web/session/get_session_info", json={"jsonrpc": "2.0", "params": {}}).json()
        return (answer.get("result") or {}).get("uid")

    def _send(self, method: str, path: str, **options: Any) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            session.cookies.update(self.cookies)
            response = session.request(
                method, self.base + path, headers={"Host": self.host}, allow_redirects=False, timeout=60, **options
            )
            self.cookies.update(response.cookies.get_dict())
        return response


def query(machine: LabServer, environment: Environment, text: str) -> list[str]:
    """Runs SQL in the environment's database as the superuser."""
    psql = ["psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", environment.database_name]
    result = machine.run(["docker", "exec", "-i", f"{environment.pk}_db", *psql, "-c", text])
    return result.stdout.split("\n")[:-1]


def inspect(machine: LabServer, environment: Environment, part: str) -> dict[str, Any]:
    """What Docker says about one of its containers."""
    client = machine.docker
    try:
        return client.api.inspect_container(f"{environment.pk}_{part}")
    finally:
        client.close()
