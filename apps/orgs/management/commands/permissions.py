"""Prints which role has which permission."""

from __future__ import annotations

import csv
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.orgs.roles import CODES_BY_ROLE, ORDERED_CODES, SYSTEM_ROLES


class Command(BaseCommand):
    """The table that the platform works by: one line for each code, one column for each role."""

    help = "Prints which role has which permission, as the platform decides it now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--csv", action="store_true", help="as comma-separated values: 1 and 0")
        parser.add_argument(
            "--role", action="append", choices=sorted(CODES_BY_ROLE), help="only this role (may be given several times)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        roles = options["role"] or list(SYSTEM_ROLES)
        rows = [[code, *(code in CODES_BY_ROLE[role] for role in roles)] for code in ORDERED_CODES]
        if options["csv"]:
            writer = csv.writer(self.stdout, lineterminator="\n")
            writer.writerow(["code", *roles])
            writer.writerows([code, *(int(has) for has in grants)] for code, *grants in rows)
            return
        width = max(map(len, ORDERED_CODES))
        self.stdout.write(" ".join(["code".ljust(width), *roles]))
        for code, *grants in rows:
            marks = (("yes" if has else "-").ljust(len(role)) for role, has in zip(roles, grants, strict=True))
            self.stdout.write(" ".join([code.ljust(width), *marks]).rstrip())
