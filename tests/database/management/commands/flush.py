"""Django's `flush`, which it calls after each test that commits, without what makes it slow: a TRUNCATE gives every
table new files, and then all apps make their content types and permissions anew."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import flush

from tests.database.beginning import begin_again, is_remembered


class Command(flush.Command):
    def handle(self, **options: Any) -> None:
        if is_remembered():
            begin_again()
        else:
            super().handle(**options)
