"""Texts of the problems with teams, roles and exceptions."""

from __future__ import annotations

from apps.core.exceptions import Message, register

register(
    {
        "orgs.more_than_own": Message(
            "Nobody gives or takes rights that they do not have: {missing}.",
            "Ask somebody who has them, such as the Owner.",
            http_status=403,
        ),
        "orgs.not_oneself": Message(
            "Nobody changes their own rights.", "Ask another administrator of the organization.", http_status=403
        ),
        "orgs.owner_exempt": Message(
            "The Owner has every right, always.", "Transfer the ownership first, if that is what you mean."
        ),
        "orgs.not_a_member": Message("This person is no member of the organization.", "Invite the person first."),
        "orgs.other_organization": Message(
            "The team belongs to another organization.", "Choose a team of the project's organization."
        ),
        "orgs.team_name_taken": Message(
            "There is a team called {name} already.", "Choose another name.", http_status=409
        ),
        "orgs.role_gone": Message(
            "The role {name} is not there any more.", "Look at the list of roles again.", http_status=409
        ),
        "orgs.role_name_taken": Message(
            "There is a role called {name} already.", "Choose another name.", http_status=409
        ),
        "orgs.ends_too_late": Message("The end is more than ten years away.", "Choose an earlier moment, or none."),
        "orgs.already_expired": Message("The end lies in the past.", "Choose a moment to come, or none."),
    }
)
