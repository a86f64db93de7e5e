"""Settings of a worker process that tests start: the tests' own, on the database of the test run."""

from __future__ import annotations

import os

from oecsh.settings.testing import *  # noqa: F403
from oecsh.settings.testing import DATABASES

DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE_NAME"]
