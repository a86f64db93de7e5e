"""What the platform puts into every Odoo, and the one-use links that open it.

Why a ticket file, and not Odoo's own means: a session file would have to know each series' format and secret, and the
portal cannot set a cookie for another host name; a signed token needs a secret inside Odoo that opens every account
for as long as it is not changed. A ticket lives 60 seconds, works once, and writing one needs the server's SSH key.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from pathlib import Path

from apps.environments.models import Environment
from apps.environments.render import EnvironmentSpecification
from apps.environments.render_specification import PLATFORM_ADDONS
from apps.servers import paths
from apps.servers.host import Host

LIFETIME_SECONDS = 60
# Data folder $1, file name $2, the ticket by the input; tickets that nobody took go. The folder is Odoo's, whose code
# is the customer's, and this runs as root: so a link is never followed. Whatever happens beside it, the shell stands in
# the folder that it has looked at.
WRITE_TICKET = """set -eu
umask 077
owner=$(stat -c %u:%g "$1")
cd -P "$1"
[ ! -L oecsh_login ] || rm -f oecsh_login
[ -d oecsh_login ] || mkdir oecsh_login
data=$(pwd -P)
cd -P oecsh_login
[ "$(pwd -P)" = "$data/oecsh_login" ]
chown "$owner" .
chmod 0700 .
find . -type f -mmin +2 -delete
set -C
cat > "$2"
chown -h "$owner" "$2"
"""
_LOCAL = Path(__file__).parent / "odoo_addons"


def _content_hash() -> str:
    total = hashlib.sha256()
    for path in sorted(_LOCAL.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            total.update(f"{path.relative_to(_LOCAL)}\0".encode() + path.read_bytes())
    return total.hexdigest()[:16]


# One folder per content: an Odoo that runs keeps the one it was started with.
PLATFORM_ADDONS_FOLDER = paths.platform_directory() / "odoo_addons" / _content_hash()
SCRIPTS_FOLDER = f"{PLATFORM_ADDONS}/oecsh_scripts"


def ensure_platform_addons(host: Host) -> None:
    """The platform's own module and scripts lie on the server."""
    if not host.files.exists(PLATFORM_ADDONS_FOLDER):
        host.files.upload_tree(_LOCAL, PLATFORM_ADDONS_FOLDER)


def write_ticket(host: Host, specification: EnvironmentSpecification, *, login: str) -> str:
    """Writes a ticket for a user of the environment's Odoo, and returns the token that takes it. Raises CommandFailed
    where something else lies in the folder's place."""
    token = secrets.token_urlsafe(32)
    ticket = json.dumps({"database": specification.database_name, "login": login})
    name = hashlib.sha256(token.encode()).hexdigest()
    host.run(["sh", "-c", WRITE_TICKET, "sh", specification.directory / "data", name], input=ticket)
    return token


def login_url(environment: Environment, token: str) -> str:
    """Where the browser brings the token: by TLS where the environment's route has a certificate."""
    return f"{address_of(environment)}/oecsh/login?token={token}"


def address_of(environment: Environment) -> str:
    """The address of an environment as its route is now: https where it has a certificate, http where it has none."""
    route = getattr(environment, "route", None)
    if route is not None and route.specification.get("tls"):
        return environment.url
    port = environment.server.http_port
    return f"http://{environment.host_name}" + (f":{port}" if port != 80 else "")
