"""News and questions for the layers above, which know Git and environments."""

from __future__ import annotations

from dataclasses import dataclass

from django.dispatch import Signal

# Sent with `repository` (a PlatformRepository): a receiver asks its Git server and returns a `CheckedBranch` for each
# version of Odoo that the repository has a branch for.
repository_checked = Signal()
# Sent with `size` (an EnvironmentSize, not stored yet): a receiver raises ValidationError where no environment could
# have it.
environment_size_checked = Signal()


@dataclass(frozen=True)
class CheckedBranch:
    """What the Git server says of one branch: `words` go on after its name."""

    version: str
    branch: str
    is_good: bool
    words: str
