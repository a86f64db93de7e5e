"""Rights kept in Redis for five minutes, and dropped the moment anything changes.

Three keys for a person in an organization: the rights with the version that they were read under, the version, and the
set of changes that are under way. A change enters its name into that set before it commits, and leaves it, raising the
version, after. While the set is not empty everybody asks the database; what was read under an older version is never
used again. So no answer from here is older than the last commit. Where Redis does not answer, the database does.
"""

from __future__ import annotations

import functools
import json
import logging
import time
import uuid
from collections.abc import Iterable

import redis
from django.conf import settings

from apps.orgs import stored_rights
from apps.orgs.rights import Rights

logger = logging.getLogger(__name__)
KEPT_SECONDS = 300
# Longer than anything that was read under a version may be kept, or a transaction may take.
_VERSION_SECONDS = 4 * KEPT_SECONDS
_PAUSE_AFTER_FAILURE = 2.0
_silent_until = 0.0
# Changes that Redis could not be told of; this process tells it before it believes it again.
_untold: set[tuple[uuid.UUID, uuid.UUID]] = set()


def rights_of(user_id: uuid.UUID, organization_id: uuid.UUID) -> Rights:
    """The person's rights in the organization."""
    version = None
    if time.monotonic() >= _silent_until:
        try:
            _tell_what_was_missed()
            version, rights = _look(user_id, organization_id)
            if rights is not None:
                return rights
        except redis.RedisError as error:
            _pause(error)
    rights = stored_rights.load(user_id, organization_id)
    if version is not None:
        _keep(user_id, organization_id, version, rights)
    return rights


def begin_change(user_ids: Iterable[uuid.UUID], organization_id: uuid.UUID) -> str:
    """Says, before the commit, that these people's rights are about to change. Returns the change's name. A change
    whose transaction is rolled back is forgotten after a while; until then the database is asked."""
    name = uuid.uuid4().hex
    try:
        pipeline = _client().pipeline(transaction=False)
        for user_id in user_ids:
            pipeline.sadd(_key("changing", user_id, organization_id), name)
            pipeline.expire(_key("changing", user_id, organization_id), _VERSION_SECONDS)
        pipeline.execute()
    except redis.RedisError as error:
        _pause(error)
        _untold.update((user_id, organization_id) for user_id in user_ids)
    return name


def end_change(user_ids: Iterable[uuid.UUID], organization_id: uuid.UUID, name: str) -> None:
    """Says, after the commit, that they have changed."""
    try:
        pipeline = _client().pipeline(transaction=True)
        for user_id in user_ids:
            _raise_version(pipeline, user_id, organization_id)
            pipeline.srem(_key("changing", user_id, organization_id), name)
        pipeline.execute()
    except redis.RedisError as error:
        _pause(error)
        _untold.update((user_id, organization_id) for user_id in user_ids)


def _look(user_id: uuid.UUID, organization_id: uuid.UUID) -> tuple[int | None, Rights | None]:
    """The version under which an answer may be kept (None: not now), and the kept answer."""
    pipeline = _client().pipeline(transaction=True)
    pipeline.mget(_key("version", user_id, organization_id), _key("kept", user_id, organization_id))
    pipeline.exists(_key("changing", user_id, organization_id))
    (version, kept), is_changing = pipeline.execute()
    if is_changing:
        return None, None
    version = int(version or 0)
    try:
        kept_version, data = json.loads(kept or "[-1, []]")
        return version, Rights.from_data(data) if kept_version == version else None
    except (ValueError, TypeError):
        logger.warning("What was kept of a person's rights cannot be read; it is read anew.")
        return version, None


def _keep(user_id: uuid.UUID, organization_id: uuid.UUID, version: int, rights: Rights) -> None:
    until = rights.seconds_to_expiry()
    seconds = KEPT_SECONDS if until is None else min(KEPT_SECONDS, int(until))
    if seconds < 1:
        return
    try:
        _client().set(_key("kept", user_id, organization_id), json.dumps([version, rights.as_data()]), ex=seconds)
    except redis.RedisError as error:
        _pause(error)


def _tell_what_was_missed() -> None:
    while _untold:
        user_id, organization_id = next(iter(_untold))
        pipeline = _client().pipeline(transaction=True)
        _raise_version(pipeline, user_id, organization_id)
        pipeline.execute()
        _untold.discard((user_id, organization_id))


def _raise_version(pipeline: redis.client.Pipeline, user_id: uuid.UUID, organization_id: uuid.UUID) -> None:
    pipeline.incr(_key("version", user_id, organization_id))
    pipeline.expire(_key("version", user_id, organization_id), _VERSION_SECONDS)


def _pause(error: redis.RedisError) -> None:
    global _silent_until
    _silent_until = time.monotonic() + _PAUSE_AFTER_FAILURE
    logger.warning("Redis does not answer for rights; the database does: %r", error)


def _key(what: str, user_id: uuid.UUID, organization_id: uuid.UUID) -> str:
    return f"oecsh:rights:{what}:{organization_id}:{user_id}"


def _client() -> redis.Redis:
    return _client_for(settings.REDIS_URL)


@functools.cache
def _client_for(url: str) -> redis.Redis:
    """One for a process; redis-py's pool gives each thread a connection of its own."""
    return redis.Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5)
