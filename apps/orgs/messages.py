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
        "orgs.owner_stays": Message(
            "The Owner can neither be removed nor get another role.", "Transfer the ownership to another member first."
        ),
        "orgs.role_beyond_own": Message(
            "The role {role} may do more than you may.",
            "Ask somebody who has that role, or the Owner.",
            http_status=403,
        ),
        "orgs.no_longer_a_member": Message(
            "This person is no member any more.", "Look at the list of members again.", http_status=409
        ),
        "orgs.new_owner_not_able": Message(
            "{person} cannot sign in, so cannot be the Owner.", "Choose a member whose account is active."
        ),
        "orgs.confirmation_differs": Message("The name does not match.", "Type {expected} to confirm."),
        "orgs.leaving": Message(
            "{organization} will be deleted on {day}.",
            "Nothing new is made in it. Its Owner can keep it, in the settings.",
            http_status=409,
        ),
        "orgs.restriction_needs_developer": Message(
            "Admins and Viewers see every project.", "Choose the role Developer to restrict somebody to projects."
        ),
        "orgs.already_invited": Message(
            "{email} has an invitation already.", "Send that one again, or revoke it first.", http_status=409
        ),
        "orgs.too_many_invitations": Message(
            "There are {limit} open invitations already.", "Revoke those that nobody needs.", http_status=409
        ),
        "orgs.invitation_unknown": Message(
            "There is no such invitation.",
            "Check the code or the link, or ask for a new one.",
            http_status=404,
        ),
        "orgs.invitation_over": Message(
            "This invitation lets nobody in any more: it is {state}.",
            "Ask the people of the organization for a new one.",
            http_status=409,
        ),
        "orgs.invitation_for_another_address": Message(
            "This invitation is for another e-mail address.",
            "Sign in with the address to which it was sent, and verify that address.",
            http_status=403,
        ),
        "orgs.address_not_confirmed": Message(
            "Your e-mail address is not confirmed yet.",
            "Follow the link in the mail that we sent you, then type the code again.",
            http_status=403,
        ),
        "orgs.too_many_guesses": Message(
            "Too many codes that do not exist were tried.", "Try again in an hour, or use the link.", http_status=429
        ),
        "orgs.in_use": Message(
            "{organization} still has {names}.", "Destroy these environments first.", http_status=409
        ),
        "orgs.quota_exceeded": Message(
            "The quota of {organization} has not enough {resource}: {wanted} wanted, {free} free.",
            "Of {total}, {allocated} are allocated. Choose less, destroy what nobody needs, or ask for more.",
            http_status=409,
        ),
        "orgs.environment_quota_exceeded": Message(
            "One environment may have at most {total} of {resource}, and {wanted} is wanted.",
            "Choose less, or ask for more.",
            http_status=409,
        ),
        "orgs.quota_request_waits": Message(
            "Another request waits for its answer.", "Wait for it, or withdraw it.", http_status=409
        ),
        "orgs.quota_request_answered": Message(
            "This request is {status} already.", "Ask again if that is not enough.", http_status=409
        ),
    }
)
