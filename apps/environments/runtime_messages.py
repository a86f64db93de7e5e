"""Texts of what can go wrong with the parts of an environment on its host."""

from __future__ import annotations

from apps.core.exceptions import PLATFORM_STAFF, SERVER_ADMINISTRATOR, Message, register

register(
    {
        "environments.container_refused": Message(
            "Docker on the server refused the part “{container}” of the environment.",
            "It said: {words}",
            SERVER_ADMINISTRATOR,
        ),
        "environments.no_proxy": Message(
            "There is no proxy on the server.",
            "Prepare the server again: open its page and press “Prepare”.",
            SERVER_ADMINISTRATOR,
        ),
        "environments.subnet_taken": Message(
            "The network {subnet} of the environment overlaps with another network on the server.",
            "Give the server another network range in its settings, or remove the network that is in the way.",
            SERVER_ADMINISTRATOR,
        ),
        "environments.database_does_not_start": Message(
            "PostgreSQL did not become ready within {seconds} seconds.",
            "Its last lines: {lines}",
            SERVER_ADMINISTRATOR,
        ),
        "environments.database_refused": Message(
            "PostgreSQL refused a statement of the platform.",
            "It said: {words}",
            PLATFORM_STAFF,
        ),
        "environments.data_is_gone": Message(
            "The data of the environment is not in the server's trash any more.",
            "Somebody has removed {folder} on the server. Restore it there from a copy, or make a new environment.",
            SERVER_ADMINISTRATOR,
        ),
        "environments.part_missing": Message(
            "The part “{part}” of the environment is not on the server.",
            "Deploy the environment: that makes what is missing and keeps its data.",
        ),
        "environments.part_does_not_run": Message(
            "The part “{part}” of the environment ended by itself.",
            "Its last lines: {lines}",
        ),
    }
)
