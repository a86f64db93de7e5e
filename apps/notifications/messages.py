"""What may go wrong here, in words."""

from __future__ import annotations

from apps.core.exceptions import Message, register

register(
    {
        "notifications.too_many_webhooks": Message(
            "The organization has {most} webhooks, which is the most there may be.",
            "Remove one that nobody needs any more, or let one webhook carry several kinds of events.",
        ),
        "notifications.name_taken": Message(
            "There is a webhook called {name} already.", "Choose another name.", http_status=409
        ),
        "notifications.webhook_paused": Message("The webhook {name} is paused.", "Resume it first.", http_status=409),
        "notifications.webhook_unreadable": Message("The webhook {name} stays paused.", "{problem}", http_status=409),
        "notifications.delivery_waiting": Message(
            "This delivery is waiting for its turn already.", "Look at its log in a moment.", http_status=409
        ),
        "notifications.test_waiting": Message(
            "A test of {name} is under way already.", "Look at its log in a moment.", http_status=409
        ),
        "notifications.beyond_own_projects": Message(
            "This webhook tells about projects that you do not see.",
            "Make one for a single project of yours, or ask somebody who sees all projects.",
            http_status=403,
        ),
        "notifications.project_elsewhere": Message(
            "The project belongs to another organization.", "Choose a project of this organization."
        ),
    }
)
