"""The way back from the platform's repositories in deployments, with rows of theirs, and forth again."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection

from apps.deployments.models import SourceSnapshot
from apps.platform.models import EnvironmentSize, PlatformRepository

WAYS = (
    ("deployments", "0003", "0004"),
    ("projects", "0002", "0003"),
    ("platform", "0002", "0004"),
)


def columns(table: str) -> set[str]:
    with connection.cursor() as cursor:
        return {column.name for column in connection.introspection.get_table_description(cursor, table)}


@pytest.mark.django_db(transaction=True)
def test_back_and_forth():
    repository = PlatformRepository.objects.create(
        name="Tools", slug="tools", url="https://git.example.com/tools.git", branch_map={"19.0": "main"}
    )
    SourceSnapshot.objects.create(platform_repository=repository, commit="a" * 40, modules={})
    try:
        for app, before, _ in WAYS:
            call_command("migrate", app, before, verbosity=0)
        assert "platform_repository_id" not in columns("deployments_sourcesnapshot")
        assert "use_platform_repositories" not in columns("projects_project")
    finally:
        for app, _, after in reversed(WAYS):
            call_command("migrate", app, after, verbosity=0)
    assert not SourceSnapshot.objects.exists()
    assert PlatformRepository.objects.get() == repository
    assert EnvironmentSize.objects.count() == 3
