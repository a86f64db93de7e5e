"""The light check of all servers: one connection and one command each, at most once a minute."""

from __future__ import annotations

import logging
import uuid
from concurrent.futures import ThreadPoolExecutor

from django.db import connection, transaction

from apps.core import clock
from apps.servers import services
from apps.servers.models import Server
from apps.servers.states import CHECK_EVERY

logger = logging.getLogger(__name__)
AT_ONCE = 8
MOST = 200


def claim_due() -> list[uuid.UUID]:
    """The servers whose check is due, each given to one caller: the next check is set before this one begins."""
    now = clock.now()
    with transaction.atomic():
        due = Server.objects.select_for_update(skip_locked=True, no_key=True).filter(
            bootstrapped_at__isnull=False, next_check_at__lte=now
        )
        found = list(due.order_by("next_check_at").values_list("pk", flat=True)[:MOST])
        Server.objects.filter(pk__in=found).update(next_check_at=now + CHECK_EVERY)
    return found


def check_due() -> int:
    """Checks them, some at once: a server that does not answer takes its time-out. Returns how many."""
    found = claim_due()
    if found:
        with ThreadPoolExecutor(min(AT_ONCE, len(found)), thread_name_prefix="check") as pool:
            list(pool.map(_check, found))
    return len(found)


def _check(server_id: uuid.UUID) -> None:
    try:
        server = Server.objects.select_related("organization", "ssh_key").get(pk=server_id)
        services.sync(server)
    except Server.DoesNotExist:
        return
    except Exception:
        # One server's surprise must not end the check of the others.
        logger.exception("The check of server %s failed", server_id)
    finally:
        connection.close()
