"""The embedded control plane of `make demo`: secrets and addresses come from the files that oecsh.embedded makes."""

from __future__ import annotations

from .base import *  # noqa: F403
