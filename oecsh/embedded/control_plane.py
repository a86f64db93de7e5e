"""The embedded control plane: PostgreSQL, Valkey, web, worker and beat under a supervisor, in one private folder."""

from __future__ import annotations

import configparser
import hashlib
import os
import secrets
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from oecsh.embedded import processes
from oecsh.embedded.postgres import Postgres
from oecsh.embedded.valkey import Valkey

BASE_DIRECTORY = Path(__file__).resolve().parent.parent.parent
RUN_DIRECTORY = BASE_DIRECTORY / ".run"
ENVIRONMENT_FILE = RUN_DIRECTORY / "environment"
PREFERRED_PORT = 8000
WORKER_CHILDREN = 2
# What outlives a restart of its program; everything else is started again within a second.
PROGRAMS = ("web", "worker", "beat")


def socket_path() -> Path:
    """The supervisor's socket. Not below the checkout, because such a path may be no longer than 107 characters."""
    key = hashlib.sha256(str(RUN_DIRECTORY).encode()).hexdigest()[:16]
    return Path(f"/tmp/oecsh-{os.getuid()}-{key}.sock")  # noqa: S108 (the supervisor makes it with mode 0700)


def read_environment() -> dict[str, str]:
    """The settings of the last start."""
    if not ENVIRONMENT_FILE.exists():
        return {}
    lines = ENVIRONMENT_FILE.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def write_environment(values: dict[str, str]) -> None:
    """Keeps the settings (0600: they hold passwords) for the processes and for `manage.py`."""
    ENVIRONMENT_FILE.touch(mode=0o600)
    ENVIRONMENT_FILE.write_text("".join(f"{name}={value}\n" for name, value in sorted(values.items())))


def prepare(**settings: str) -> dict[str, str]:
    """Makes keys, ports, PostgreSQL and Valkey where they are missing, and returns the settings of the processes."""
    RUN_DIRECTORY.mkdir(mode=0o700, exist_ok=True)
    postgres, valkey = Postgres(RUN_DIRECTORY / "postgres"), Valkey(RUN_DIRECTORY / "valkey")
    postgres.initialize()
    valkey.initialize()
    _make_key_ring()
    before = read_environment()
    port = before.get("WEB_PORT") or str(processes.free_port(PREFERRED_PORT))
    values = {
        "DATABASE_URL": os.environ.get("DATABASE_URL") or postgres.url,
        "REDIS_URL": os.environ.get("REDIS_URL") or valkey.url,
        "SECRET_KEY": before.get("SECRET_KEY") or secrets.token_urlsafe(64),
        "RUN_DIRECTORY": str(RUN_DIRECTORY),
        "WEB_HOST": "127.0.0.1",
        "WEB_PORT": port,
        "PORTAL_URL": f"http://127.0.0.1:{port}",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "LOG_JSON": "false",
        "ALLOWED_PRIVATE_NETWORKS": "127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,::1/128",
        "WEBHOOK_PRIVATE_NETWORKS": "127.0.0.0/8,::1/128",
    } | settings
    write_environment(values)
    return values


def start() -> None:
    """Starts everything, migrates, and waits until the portal answers. Harmless when it runs already."""
    environment = _process_environment()
    _start_supervisor(environment)
    if "DATABASE_URL" not in os.environ:
        Postgres(RUN_DIRECTORY / "postgres").wait()
    if "REDIS_URL" not in os.environ:
        Valkey(RUN_DIRECTORY / "valkey").wait()
    manage("migrate", "--no-input", "--verbosity", "0")
    manage("collectstatic", "--no-input", "--verbosity", "0")
    for program in PROGRAMS:
        _supervisor("restart" if _must_restart() else "start", program)
    _remember_code()
    portal = read_environment()["PORTAL_URL"]
    processes.wait_until(lambda: _answers(portal), what="The start of the portal", patience=60)


def stop() -> None:
    """Stops all of it, the supervisor last."""
    pid = supervisor_pid()
    if pid:
        processes.stop(pid, patience=40)
    Postgres(RUN_DIRECTORY / "postgres").stop() if (RUN_DIRECTORY / "postgres").exists() else None
    socket_path().unlink(missing_ok=True)


def supervisor_pid() -> int | None:
    """The pid of the running supervisor."""
    return processes.running_pid(RUN_DIRECTORY / "supervisor.pid", str(RUN_DIRECTORY / "supervisor.conf"))


def manage(*arguments: str) -> None:
    """Runs a management command with the settings of the processes."""
    command = [sys.executable, str(BASE_DIRECTORY / "manage.py"), *arguments]
    subprocess.run(command, check=True, env=_process_environment(), cwd=BASE_DIRECTORY, timeout=300)


def _process_environment() -> dict[str, str]:
    own = {"DJANGO_SETTINGS_MODULE": "oecsh.settings.embedded", "PYTHONWARNINGS": "ignore"}
    return dict(os.environ) | read_environment() | own


def _make_key_ring() -> None:
    from apps.core.keyring import new_ring_line

    path = RUN_DIRECTORY / "key-ring"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(new_ring_line() + "\n")


def _start_supervisor(environment: dict[str, str]) -> None:
    with processes.lock(RUN_DIRECTORY / "supervisor.lock"):
        _write_configuration()
        if supervisor_pid():
            _supervisor("update")
            return
        Postgres(RUN_DIRECTORY / "postgres").forget_leftovers()
        socket_path().unlink(missing_ok=True)
        supervisord = Path(sys.executable).parent / "supervisord"
        command = [str(supervisord), "--nodaemon", "-c", str(RUN_DIRECTORY / "supervisor.conf")]
        processes.start_detached(command, log=RUN_DIRECTORY / "logs" / "supervisor.log", environment=environment)
        processes.wait_until(socket_path().exists, what="The start of the supervisor")


def _write_configuration() -> None:
    parser = configparser.RawConfigParser()
    parser["unix_http_server"] = {"file": str(socket_path()), "chmod": "0700"}
    logs = RUN_DIRECTORY / "logs"
    parser["supervisord"] = {
        "pidfile": str(RUN_DIRECTORY / "supervisor.pid"),
        "logfile": str(logs / "supervisord.log"),
        "directory": str(BASE_DIRECTORY),
        "identifier": "oecsh",
    }
    if os.getuid() == 0:
        parser["supervisord"]["user"] = "root"
    parser["rpcinterface:supervisor"] = {
        "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
    }
    parser["supervisorctl"] = {"serverurl": f"unix://{socket_path()}"}
    for name, command in _commands().items():
        is_service = name in ("postgres", "valkey")
        parser[f"program:{name}"] = {
            "command": " ".join(part.replace("%", "%%") for part in command),
            "autostart": str(is_service).lower(),
            "autorestart": "true",
            "startsecs": "0",
            "priority": "1" if is_service else "10",
            "stopsignal": "INT" if name == "postgres" else "TERM",
            "stopwaitsecs": "20",
            "stopasgroup": str(not is_service).lower(),
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": str(logs / f"{name}.log"),
            "stdout_logfile_maxbytes": "10MB",
            "stdout_logfile_backups": "2",
        }
    logs.mkdir(parents=True, exist_ok=True)
    with (RUN_DIRECTORY / "supervisor.conf").open("w") as handle:
        parser.write(handle)


def _commands() -> dict[str, list[str]]:
    """The Procfile's processes, and the services that are not given by a URL."""
    values = read_environment()
    commands: dict[str, list[str]] = {}
    if "DATABASE_URL" not in os.environ:
        commands["postgres"] = Postgres(RUN_DIRECTORY / "postgres").command()
    if "REDIS_URL" not in os.environ:
        commands["valkey"] = Valkey(RUN_DIRECTORY / "valkey").command()
    for line in (BASE_DIRECTORY / "Procfile").read_text().splitlines():
        name, _, command = line.partition(":")
        for variable, value in values.items():
            command = command.replace(f"${{{variable}}}", value)
        commands[name] = command.split()
    return commands


def _supervisor(*arguments: str) -> None:
    supervisorctl = Path(sys.executable).parent / "supervisorctl"
    command = [str(supervisorctl), "-c", str(RUN_DIRECTORY / "supervisor.conf"), *arguments]
    subprocess.run(command, check=False, capture_output=True, timeout=60)


def _code_digest() -> str:
    """Changes with the code and the settings: then a second `make demo` restarts the processes."""
    digest = hashlib.sha256(ENVIRONMENT_FILE.read_bytes())
    for folder in ("apps", "oecsh", "templates"):
        for path in sorted((BASE_DIRECTORY / folder).rglob("*")):
            if path.suffix in (".py", ".html"):
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _must_restart() -> bool:
    known = RUN_DIRECTORY / "code.sha256"
    return known.exists() and known.read_text() != _code_digest()


def _remember_code() -> None:
    (RUN_DIRECTORY / "code.sha256").write_text(_code_digest())


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url + "/account/login/", timeout=5) as answer:  # noqa: S310 (our own address)
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def load_environment() -> None:
    """Makes this process see the settings of the control plane's processes."""
    os.environ.update(_process_environment())
