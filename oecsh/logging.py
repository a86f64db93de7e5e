"""Logs of the control plane: one event a line, with the ids of the operation and step it belongs to.

Expected failures are no events of ours: they stand in the operation's own log. JSON in production, text where a person
reads along. Secrets known by their form (passwords in URLs, private keys) are masked here as everywhere.
"""

from __future__ import annotations

from typing import Any

import structlog

from apps.core.masking import mask


def mask_event(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Masks every text of an event."""
    return {key: mask(value) if isinstance(value, str) else value for key, value in event.items()}


def configuration(*, level: str, as_json: bool) -> dict[str, Any]:
    """The value of Django's LOGGING."""
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask_event,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "events": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
                "foreign_pre_chain": shared,
            }
        },
        "handlers": {"events": {"class": "logging.StreamHandler", "formatter": "events"}},
        "root": {"handlers": ["events"], "level": level},
        "loggers": {
            "paramiko": {"level": "WARNING"},
            "docker": {"level": "WARNING"},
            "urllib3": {"level": "WARNING"},
            "django.request": {"level": "ERROR"},
            # One line per tick of the scanner says nothing.
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
            "uvicorn.error": {"level": "WARNING"},
        },
    }
