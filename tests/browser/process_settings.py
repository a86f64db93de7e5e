"""Settings of the web, worker and beat processes that the end-to-end test starts: the tests' own, on the database of
the test run; static files come from where they are built, without being collected."""

from __future__ import annotations

import os

from oecsh.settings.testing import *  # noqa: F403
from oecsh.settings.testing import DATABASES

DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE_NAME"]
WHITENOISE_USE_FINDERS = True
