"""Container registries: what Docker needs to sign in, and a real sign-in to test it.

The protocol: https://distribution.github.io/distribution/spec/auth/token/
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import requests

from apps.core import outgoing
from apps.core.exceptions import Problem
from apps.projects.git_access import is_private
from apps.projects.models import RegistryAccount
from apps.projects.validators import DOCKER_HUB

TIMEOUT_SECONDS = 15
DEFAULT_HOSTS = {
    RegistryAccount.Kind.DOCKER_HUB: "docker.io",
    RegistryAccount.Kind.GHCR: "ghcr.io",
    RegistryAccount.Kind.GITLAB: "registry.gitlab.com",
}
_ECR_HOST = re.compile(r"[0-9]{12}\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")
_PARAMETER = re.compile(r'([a-z]+)="([^"]*)"')


@dataclass(frozen=True)
class _Answer:
    status: int
    challenge: str
    body: bytes


def authentication(account: RegistryAccount) -> dict[str, str]:
    """What docker-py takes as `auth_config`. For Amazon ECR the access key is exchanged for a password of twelve hours.

    Raises Problem `projects.registry_refused` or `projects.registry_unreachable`.
    """
    if account.kind == RegistryAccount.Kind.ECR:
        username, password = _ecr_password(account)
    else:
        username, password = account.username, account.password
    server = "https://index.docker.io/v1/" if account.host in DOCKER_HUB else account.host
    return {"username": username, "password": password, "serveraddress": server}


def check_login(account: RegistryAccount) -> None:
    """Signs in for real, with the flow that the registry asks for.

    Raises Problem `projects.registry_refused`, `projects.registry_unreachable`, `projects.registry_not_a_registry`,
    `core.address_*`.
    """
    login = authentication(account)
    base = _base_url(account)
    basic = _basic(login["username"], login["password"])
    first = _get(f"{base}/v2/", account.host)
    if first.status == 200:
        return
    kind, _, rest = first.challenge.partition(" ")
    if first.status != 401 or kind.lower() not in ("basic", "bearer"):
        raise Problem("projects.registry_not_a_registry", host=account.host, reason=f"HTTP {first.status} at /v2/")
    if kind.lower() == "basic":
        header = basic
    else:
        header = "Bearer " + _bearer_token(account, login["username"], basic, dict(_PARAMETER.findall(rest)))
    if _get(f"{base}/v2/", account.host, header).status != 200:
        raise Problem("projects.registry_refused", host=account.host)


def _bearer_token(account: RegistryAccount, username: str, basic: str, parameters: dict[str, str]) -> str:
    query = {"account": username, "client_id": "oecsh"}
    query |= {"service": parameters["service"]} if "service" in parameters else {}
    realm = parameters.get("realm", "")
    if not realm.startswith(("https://", "http://")):
        raise Problem("projects.registry_not_a_registry", host=account.host, reason="it names no token service")
    if realm.startswith("http://") and _base_url(account).startswith("https://"):
        raise Problem("projects.registry_not_a_registry", host=account.host, reason="its token service has no TLS")
    separator = "&" if urlsplit(realm).query else "?"
    answer = _get(f"{realm}{separator}{urlencode(query)}", account.host, basic)
    if answer.status in (400, 401, 403):
        raise Problem("projects.registry_refused", host=account.host)
    try:
        content = json.loads(answer.body)
        token = content.get("token") or content.get("access_token")
    except (ValueError, AttributeError):
        token = None
    if answer.status != 200 or not isinstance(token, str) or not token.isprintable():
        reason = f"HTTP {answer.status} from its token service"
        raise Problem("projects.registry_not_a_registry", host=account.host, reason=reason)
    return token


def _base_url(account: RegistryAccount) -> str:
    """https, except for registries in the allowed private networks: those are spoken to in clear, as Docker does."""
    host = "registry-1.docker.io" if account.host in DOCKER_HUB else account.host
    name, _, port = host.partition(":")
    addresses = outgoing.check_address(name, int(port or 443))
    return f"http://{host}" if port not in ("", "443") and all(map(is_private, addresses)) else f"https://{host}"


def _get(url: str, host: str, authorization: str = "") -> _Answer:
    """GET at an address that was checked, without following redirections."""
    headers = {"User-Agent": "oecsh"} | ({"Authorization": authorization} if authorization else {})
    try:
        with outgoing.session(schemes=("https", "http"), seconds=TIMEOUT_SECONDS) as session:
            answer = session.get(url, headers=headers)
    except requests.RequestException as error:
        raise Problem("projects.registry_unreachable", host=host, reason=type(error).__name__) from error
    return _Answer(answer.status_code, answer.headers.get("WWW-Authenticate", ""), answer.content)


def _basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def _ecr_password(account: RegistryAccount) -> tuple[str, str]:
    """Amazon's registry takes no lasting password: the account holds an access key, which buys one."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    found = _ECR_HOST.fullmatch(account.host)
    if found is None:
        reason = "Amazon's registries are called <account>.dkr.ecr.<region>.amazonaws.com"
        raise Problem("projects.registry_not_a_registry", host=account.host, reason=reason)
    client = boto3.client(
        "ecr",
        region_name=found["region"],
        aws_access_key_id=account.username,
        aws_secret_access_key=account.password,
        # A person waits for the test of an account.
        config=Config(connect_timeout=5, read_timeout=TIMEOUT_SECONDS, retries={"total_max_attempts": 2}),
    )
    try:
        data = client.get_authorization_token()["authorizationData"][0]
    except ClientError as error:
        raise Problem("projects.registry_refused", host=account.host) from error
    except BotoCoreError as error:
        raise Problem("projects.registry_unreachable", host=account.host, reason=type(error).__name__) from error
    username, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    return username, password
