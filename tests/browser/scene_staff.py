"""What the pages about platform staff show: a request that waits, a way in that is open, and what was."""

from __future__ import annotations

from apps.orgs import support
from tests.cast import Cast, make_person


def add_staff_rows(cast: Cast) -> None:
    """Olga asks to come into Acme, Igor is in for an emergency, and Ivan was refused."""
    olga, igor, ivan = (make_person(name, is_staff=True) for name in ("Olga", "Igor", "Ivan"))
    refused = support.ask(organization=cast.acme, staff=ivan, reason="To have a look at the servers", minutes=60)
    support.refuse(access=refused, actor=cast.alice)
    support.ask(
        organization=cast.acme,
        staff=olga,
        reason="You wrote that the payroll module does not start since the update; I would like to see its log.",
        minutes=24 * 60,
    )
    support.take_in_emergency(
        organization=cast.acme, staff=igor, reason="The disk of web-2 is full and three sites are down", minutes=120
    )
