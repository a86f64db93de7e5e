"""Settings of the worker processes that tests start: the tests' own, with the toys, on the database of the test run."""

from __future__ import annotations

import os

from oecsh.settings.testing import *  # noqa: F403
from oecsh.settings.testing import DATABASES, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.operations.toys"]
DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE_NAME"]
OPERATION_STOP_GRACE_SECONDS = 2
