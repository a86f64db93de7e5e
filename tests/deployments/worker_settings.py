"""Settings of the worker processes of these tests: the tests' own, on the database of the test run."""

from __future__ import annotations

import os

from oecsh.settings.testing import *  # noqa: F403
from oecsh.settings.testing import DATABASES

DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE_NAME"]
OPERATION_LEASE_SECONDS = int(os.environ["TEST_LEASE_SECONDS"])
OPERATION_HEARTBEAT_SECONDS = OPERATION_LEASE_SECONDS / 4
