"""Texts of the problems of organizations and members."""

from __future__ import annotations

from apps.core.exceptions import Message, register

register(
    {
        "orgs.slug_taken": Message("The short name {slug} is taken.", "Choose another short name.", http_status=409),
        "orgs.owner_not_assignable": Message(
            "Nobody is made Owner by being added.", "Add the person in another role, and transfer the ownership."
        ),
        "orgs.already_a_member": Message(
            "{person} is a member already.", "Change the role of the member instead.", http_status=409
        ),
    }
)
