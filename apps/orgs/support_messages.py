"""Texts of the problems of support access and of looking through a person's eyes."""

from __future__ import annotations

from apps.core.exceptions import Message, register

register(
    {
        "orgs.support_open_already": Message(
            "{organization} is open to you already, or your request waits.",
            "Use that one, or end it and ask again.",
            who="platform staff",
            http_status=409,
        ),
        "orgs.support_minutes": Message(
            "This is too short or too long.", "Choose {shortest} to {longest} minutes.", who="platform staff"
        ),
        "orgs.support_reason_too_short": Message(
            "An emergency needs a reason that the Owner understands.",
            "Write what happened, in at least {length} letters.",
            who="platform staff",
        ),
        "orgs.support_answered": Message(
            "The request of {staff} is answered or taken back already.",
            "Look at the list again.",
            http_status=409,
        ),
        "orgs.support_request_lapsed": Message(
            "The request of {staff} is too old to be answered.", "Let the staff ask again.", http_status=409
        ),
        "orgs.view_as_not_of_staff": Message(
            "Nobody looks through the eyes of {person}.",
            "Choose a person who is not platform staff and whose account is active.",
            who="platform staff",
        ),
        "orgs.view_as_nothing_open": Message(
            "None of the organizations of {person} is open to you.",
            "Ask the Owner of the organization for access first.",
            who="platform staff",
        ),
        "orgs.view_as_open": Message(
            "You look through somebody's eyes already.", "End that first.", who="platform staff", http_status=409
        ),
        "orgs.view_as_reads_only": Message(
            "You look at the portal as {person}, and change nothing.",
            "Stop viewing to act as yourself.",
            who="platform staff",
            http_status=403,
        ),
    }
)
