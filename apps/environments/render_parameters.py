"""What customers may set in odoo.conf and in PostgreSQL, and how each value is checked. Everything else is ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from django.core.exceptions import ValidationError

_LINE = re.compile(r"[^\x00-\x1f\x7f]*")
_MODULES = re.compile(r"[a-z][a-z0-9_]*(?:,[a-z][a-z0-9_]*)*", re.ASCII)
_LOG_HANDLER = re.compile(r"[A-Za-z0-9_.]*:(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)(?:,[A-Za-z0-9_.]*:[A-Z]+)*", re.ASCII)
# https://www.postgresql.org/docs/current/config-setting.html: numbers with an optional unit, or one word.
_POSTGRES_VALUE = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:B|kB|MB|GB|TB|us|ms|s|min|h|d)?|[a-z_]+", re.ASCII)


def _integer(smallest: int, largest: int) -> Callable[[object], str]:
    def check(value: object) -> str:
        text = str(value).strip()
        if not re.fullmatch(r"-?[0-9]{1,12}", text) or not smallest <= int(text) <= largest:
            raise ValidationError(f"Use a whole number from {smallest} to {largest}.")
        return str(int(text))

    return check


def _boolean(value: object) -> str:
    text = str(value).strip().lower()
    if text not in ("true", "false", "1", "0"):
        raise ValidationError("Use True or False.")
    return str(text in ("true", "1"))


def _line(value: object) -> str:
    text = str(value).strip()
    if not _LINE.fullmatch(text) or len(text) > 500:
        raise ValidationError("Use one line of at most 500 characters.")
    return text


def _pattern(pattern: re.Pattern[str], message: str) -> Callable[[object], str]:
    def check(value: object) -> str:
        text = str(value).strip()
        if not pattern.fullmatch(text):
            raise ValidationError(message)
        return text

    return check


_LOG_LEVELS = re.compile("info|debug_rpc|warn|test|critical|runbot|debug_sql|error|debug|debug_rpc_answer|notset")

# Odoo's own options by name; the memory limits may be lowered or raised within the container's limit.
ODOO_PARAMETERS: dict[str, Callable[[object], str]] = {
    "csv_internal_sep": _pattern(re.compile(r"[,;|:]"), "Use one of , ; | :"),
    "email_from": _line,
    "from_filter": _line,
    "geoip_database": _line,
    "limit_memory_hard": _integer(256 * 2**20, 2**40),
    "limit_memory_soft": _integer(128 * 2**20, 2**40),
    "limit_request": _integer(100, 10_000_000),
    "limit_time_cpu": _integer(10, 86_400),
    "limit_time_real": _integer(10, 86_400),
    "limit_time_real_cron": _integer(-1, 86_400),
    "log_db": _boolean,
    "log_handler": _pattern(_LOG_HANDLER, "Use entries such as odoo.addons.sale:DEBUG, separated by commas."),
    "log_level": _pattern(_LOG_LEVELS, "Use info, debug, warn, error or critical."),
    "osv_memory_age_limit": _integer(0, 1_000_000),
    "osv_memory_count_limit": _integer(0, 1_000_000),
    "server_wide_modules": _pattern(_MODULES, "List technical names of modules, separated by commas."),
    "smtp_port": _integer(1, 65_535),
    "smtp_server": _line,
    "smtp_ssl": _boolean,
    "transient_age_limit": _pattern(re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,3})?"), "Use a number of hours."),
    "unaccent": _boolean,
}

POSTGRES_PARAMETERS = frozenset(
    {
        "autovacuum_analyze_scale_factor",
        "autovacuum_max_workers",
        "autovacuum_naptime",
        "autovacuum_vacuum_cost_limit",
        "autovacuum_vacuum_scale_factor",
        "checkpoint_completion_target",
        "checkpoint_timeout",
        "commit_delay",
        "deadlock_timeout",
        "default_statistics_target",
        "effective_cache_size",
        "effective_io_concurrency",
        "hash_mem_multiplier",
        "idle_in_transaction_session_timeout",
        "jit",
        "lock_timeout",
        "log_lock_waits",
        "log_min_duration_statement",
        "log_temp_files",
        "maintenance_work_mem",
        "max_parallel_workers",
        "max_parallel_workers_per_gather",
        "max_wal_size",
        "max_worker_processes",
        "min_wal_size",
        "random_page_cost",
        "shared_buffers",
        "statement_timeout",
        "synchronous_commit",
        "temp_buffers",
        "track_io_timing",
        "wal_buffers",
        "work_mem",
    }
)


def clean_odoo_parameters(values: object) -> dict[str, str]:
    """The values as odoo.conf takes them. Raises ValidationError which names the parameter and what is allowed."""
    return _clean(values, ODOO_PARAMETERS, "odoo.conf")


def clean_postgres_parameters(values: object) -> dict[str, str]:
    """The values as PostgreSQL's command line takes them; connections and addresses are the platform's own."""
    check = _pattern(_POSTGRES_VALUE, "Use a number with an optional unit (64MB, 30s), or one word such as on or off.")
    return _clean(values, dict.fromkeys(POSTGRES_PARAMETERS, check), "PostgreSQL")


def _clean(values: object, known: Mapping[str, Callable[[object], str]], where: str) -> dict[str, str]:
    if not isinstance(values, dict):
        raise ValidationError("Use pairs of a name and a value.")
    cleaned = {}
    for name, value in sorted(values.items()):
        if name not in known:
            raise ValidationError(
                f"{name} cannot be set in {where}: it is unknown, or the platform sets it. Allowed: {', '.join(known)}."
            )
        try:
            cleaned[name] = known[name](value)
        except ValidationError as error:
            raise ValidationError(f"{name}: {error.messages[0]}") from error
    return cleaned
