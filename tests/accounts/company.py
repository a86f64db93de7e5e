"""A company by whose accounts people sign in: OAuth 2 with PKCE and OpenID Connect over HTTP on a socket, as GitHub,
GitLab, Google, Microsoft and a generic provider speak it. Tests say who comes, and what the company answers wrongly."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import requests
from django.test import Client

CLIENT_ID = "portal"
SECRET = "portal's secret at the company"
OPENID = "/account/oidc/company"
DORA = {"sub": "248289761001", "email": "dora@example.com", "email_verified": True, "name": "Dora Marsh"}


class Company:
    """`person` are the claims of who signs in (userinfo and ID token), `pages` other answers by the end of their path;
    `wrong` replaces claims of the ID token alone, `says_no` lets the person refuse."""

    def __init__(self) -> None:
        self.person: dict[str, Any] = {}
        self.pages: dict[str, Any] = {}
        self.wrong: dict[str, Any] = {}
        self.says_no = False
        self.asked: list[str] = []
        self.codes: dict[str, dict[str, str]] = {}
        company = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                company.answer(self, urlsplit(self.path), {})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                company.answer(self, urlsplit(self.path), {name: one[0] for name, one in parse_qs(body).items()})

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler, address: Any, form: dict[str, str]) -> None:
        self.asked.append(address.path)
        query = {name: one[0] for name, one in parse_qs(address.query).items()}
        for end, content in self.pages.items():
            if address.path.endswith(end):
                return self._send(handler, 200, content)
        if address.path.endswith("authorize"):
            return self._lead_back(handler, query)
        if address.path.endswith("token"):
            return self._send(handler, *self._token(form))
        if address.path.endswith("openid-configuration"):
            return self._send(handler, 200, self._configuration())
        return self._send(handler, 200, self.person)

    def _configuration(self) -> dict[str, Any]:
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "userinfo_endpoint": "userinfo"}
        return {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"} | {
            name: f"{self.url}/{path}" for name, path in names.items()
        }

    def _lead_back(self, handler: BaseHTTPRequestHandler, query: dict[str, str]) -> None:
        answer = {"state": query["state"]}
        if self.says_no:
            answer["error"] = "access_denied"
        else:
            answer["code"] = secrets.token_hex(8)
            self.codes[answer["code"]] = query
        handler.send_response(302)
        handler.send_header("Location", f"{query['redirect_uri']}?{urlencode(answer)}")
        handler.end_headers()

    def _token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        query = self.codes.pop(form.get("code", ""), None)
        if query is None or form.get("client_secret") != SECRET:
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if query.get("code_challenge") != base64.urlsafe_b64encode(digest).decode().rstrip("="):
            return 400, {"error": "invalid_grant", "error_description": "PKCE"}
        claims = {"iss": self.url, "aud": CLIENT_ID, "exp": time.time() + 60, "iat": time.time()} | self.person
        id_token = jwt.encode(claims | self.wrong, "k" * 32, algorithm="HS256")
        return 200, {"access_token": "opaque", "token_type": "bearer", "expires_in": 60, "id_token": id_token}

    def _send(self, handler: BaseHTTPRequestHandler, status: int, content: Any) -> None:
        body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


def way(client: Client, address: str = OPENID, process: str = "login", follow: bool = True):
    """Presses the button, goes to the company, and comes back."""
    leaving = client.post(f"{address}/login/?process={process}")
    assert leaving.status_code == 200, leaving.headers
    target = leaving.context["target"]
    back = requests.get(target, allow_redirects=False, timeout=10).headers["Location"]
    parts = urlsplit(back)
    return client.get(f"{parts.path}?{parts.query}", follow=follow)


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200
