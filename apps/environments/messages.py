"""Texts of the problems with environments as they are stored; those of their hosts stand in `runtime_messages.py`."""

from __future__ import annotations

from apps.core.exceptions import Message, register

register(
    {
        "environments.action_not_allowed": Message(
            "It is not possible to {action} {environment} now.", "{reason} Possible now: {allowed}.", http_status=409
        ),
        "environments.not_editable": Message(
            "{environment} cannot be changed now.", "{reason} Try again when that is over.", http_status=409
        ),
        "environments.still_at_work": Message(
            "Operations are still under way there: {work}.", "Cancel them first, then try again.", http_status=409
        ),
        "environments.unknown_action": Message("There is no action {action}.", "Use one of {known}.", http_status=404),
        "environments.over_capacity": Message(
            "The server {server} has not enough {resource}: {wanted} wanted, {free} free.",
            "Of {total} that it can promise, {allocated} are allocated. Choose less or another server, or make an "
            "environment on it smaller.",
            http_status=409,
        ),
        "environments.too_many_connections": Message(
            "Odoo could open more database connections than there are: {sum}, but {where} allows {available}.",
            "Set db_maxconn to {largest} or less, use fewer workers, or raise the limit.",
        ),
        "environments.pool_too_large": Message(
            "A pool of {pool_size} and {reserved} connections for maintenance are more than max_connections "
            "{max_connections}.",
            "Raise max_connections, or make the pool smaller.",
        ),
        "environments.too_many_workers": Message(
            "{processes} Odoo processes need at least {needed} MB, and Odoo's share is {available} MB.",
            "Use fewer workers or cron threads, or allocate more memory.",
        ),
        "environments.server_is_fixed": Message(
            "{environment} cannot move to another server: its data lies on this one.",
            "Create an environment on the other server, and clone this one into it.",
            http_status=409,
        ),
        "environments.no_server": Message(
            "{environment} has no server.", "Choose a server in the settings of the environment.", http_status=409
        ),
        "environments.too_late": Message(
            "{environment} cannot be brought back any more.",
            "Its data is kept for a while only, and that time is over. Make a new environment.",
            http_status=409,
        ),
        "environments.confirmation_differs": Message("The name does not match.", "Type {expected} to confirm."),
        "environments.production_not_confirmed": Message(
            "A production environment is destroyed only on purpose.",
            "Tick the box that says what will be gone, and type {expected}.",
        ),
        "environments.reserved_variable": Message(
            "The name {key} is reserved.", "The platform or Odoo's image sets it. Choose another name."
        ),
        "environments.slug_taken": Message(
            "There is an environment with the short name {slug} already.", "Choose another name.", http_status=409
        ),
        "environments.name_unavailable": Message(
            "No free host name was found for {project}.", "Try again in a moment.", http_status=409
        ),
        "environments.nothing_deploys": Message(
            "Deployments are not installed.", "Install the app apps.deployments.", http_status=503
        ),
        "environments.no_log": Message(
            "There is no Odoo container, so there is no log.",
            "Deploy the environment first; what a deployment writes is on the deployment's own page.",
            http_status=404,
        ),
        "environments.log_unreadable": Message(
            "The server broke off while the log was read ({reason}).",
            "Try again; look at the server if it stays like this.",
            "server administrator",
            http_status=502,
        ),
        "environments.already_purged": Message(
            "Nothing of {environment} is left.", "It was destroyed for good.", http_status=409
        ),
    }
)
