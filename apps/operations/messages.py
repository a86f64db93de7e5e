"""Texts of the problems that the engine raises."""

from __future__ import annotations

from apps.core.exceptions import PLATFORM_STAFF, SERVER_ADMINISTRATOR, USER, Message, register

register(
    {
        "operations.task_in_progress": Message(
            "“{title}” is {status} here already.",
            "Wait until it is over, or cancel it.",
            USER,
            409,
        ),
        "operations.not_cancellable": Message(
            "“{title}” cannot be cancelled.", "{reason} It ends by itself.", USER, 409
        ),
        "operations.not_finished": Message(
            "“{title}” is not over yet.", "Wait until it is over; then it can be tried again.", USER, 409
        ),
        "operations.not_retryable": Message("“{title}” cannot be tried again.", "{reason}", USER, 409),
        "operations.deadline_exceeded": Message(
            "The step “{step}” did not end within {duration}.",
            "Look at the last lines of its log, then try again. If it needs more time than that on this server, "
            "tell platform staff.",
            USER,
        ),
        "operations.step_stuck": Message(
            "The step “{step}” did not stop when it was told to ({reason}).",
            "Its worker was ended. Give the number of this operation to platform staff.",
            PLATFORM_STAFF,
            500,
        ),
        "operations.interrupted_too_often": Message(
            "The worker died {count} times in the step “{step}”.",
            "Something in this step ends the platform's worker (often too little memory). Give the number of this "
            "operation to platform staff.",
            PLATFORM_STAFF,
            500,
        ),
        "operations.connection_lost": Message(
            "The connection was lost in the step “{step}”, and again at each new attempt.",
            "Check that the server is up and that it can be reached by SSH, then try again.",
            SERVER_ADMINISTRATOR,
        ),
        "operations.unexpected": Message(
            "The step “{step}” failed for a reason that the platform did not expect (reference {reference}).",
            "Try again; if it happens again, give the reference to platform staff.",
            PLATFORM_STAFF,
            500,
        ),
        "operations.unknown_kind": Message(
            "This platform does not know how to do “{kind}”.",
            "The operation was queued by another version of the platform. Start it again.",
            PLATFORM_STAFF,
            500,
        ),
    }
)
