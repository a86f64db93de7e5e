"""Random secrets of an environment."""

from __future__ import annotations

import secrets


def generate() -> str:
    """A password of 160 bits in letters that no configuration file gives a meaning (also not `%`, which odoo.conf's
    parser interpolates)."""
    return secrets.token_hex(20)
