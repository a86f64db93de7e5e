"""Texts of the problems with preparing a server, and with what is placed on it."""

from __future__ import annotations

from apps.core.exceptions import PLATFORM_STAFF, SERVER_ADMINISTRATOR, Message

BOOTSTRAP = {
    "servers.distribution_unsupported": Message(
        "{distribution} is not supported.",
        "Supported are Debian 11 and later, Ubuntu 20.04 and later, Red Hat Enterprise Linux, Rocky Linux, AlmaLinux "
        "and CentOS Stream 8 and later, Fedora, and Alpine 3.16 and later.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.architecture_unsupported": Message(
        "Processors of the kind {architecture} are not supported.",
        "Use a server with x86_64 or aarch64.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.owned_by_another": Message(
        "This machine ({address}) is another server of this platform already: {name}.",
        "Remove that server first. If this machine is a copy of that one, delete the folder {root} on it, and retry.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.owned_elsewhere": Message(
        "This machine ({address}) belongs to another installation of the platform.",
        "Remove it there first. If that installation is gone for good, delete {path} on the machine, and retry.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.owner_forgotten": Message(
        "This machine ({address}) belonged to a server that the platform no longer has.",
        "If nothing of that server is needed any more, take the machine over on the server's page.",
    ),
    "servers.owner_unreadable": Message(
        "{path} on the server does not say whose the machine is.",
        "Look at that file on the server. If the machine is used by nobody else, delete it there, and retry.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.disk_too_small": Message(
        "Only {free} of disk are free under {path}; at least {needed} are needed.",
        "Free some space on the server, or make its disk larger.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.docker_install_failed": Message(
        "Docker could not be installed.",
        "The package manager said: {output} Make it work on the server, or install Docker there by hand, and retry.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.port_taken": Message(
        "Port {port} is taken on the server by {process}.",
        "Stop that program, or give the server other ports in its settings, and retry.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.network_range_taken": Message(
        "The network range {network_range} overlaps with {other} on the server.",
        "Choose another private range in the settings of the server, and retry.",
        SERVER_ADMINISTRATOR,
    ),
    "servers.proxy_unhealthy": Message(
        "The proxy does not become healthy.", "Its last words: {output}", PLATFORM_STAFF
    ),
    "servers.responder_unhealthy": Message(
        "The responder for certificate challenges does not answer behind the proxy ({reason}).",
        "Retry; if it happens again, show this to platform staff.",
        PLATFORM_STAFF,
    ),
}

PLACEMENT = {
    "servers.already_added": Message(
        "{name} is this very server already ({address}, port {port}).", "Open that server instead.", http_status=409
    ),
    "servers.slug_taken": Message(
        "There is a server with the short name {slug} already.", "Choose another name.", http_status=409
    ),
    "servers.not_ready": Message(
        "The server {name} is not ready: {reason}.",
        "Open the server's page and bring it back, then try again.",
        http_status=409,
    ),
    "servers.network_range_full": Message(
        "All networks of {network_range} are in use.",
        "Give the server a larger network range, or use another server.",
        http_status=409,
    ),
    "servers.removal_refused": Message(
        "The server {name} cannot be removed: {objections}.", "Remove or move these first.", http_status=409
    ),
    "servers.name_mismatch": Message("The name does not match.", "Type {name} to confirm."),
    "servers.phrase_differs": Message("That is not the sentence.", "Type: {phrase}"),
    "servers.still_there": Message(
        "{name} answers: it is not gone.",
        "Destroy what is placed on it, and remove it then. If it went away just now, press Look now first.",
        http_status=409,
    ),
    "servers.at_work": Message(
        "{name} is in use: {work}.", "Wait for the end of that, or cancel it, then try again.", http_status=409
    ),
    "servers.address_changed": Message(
        "The address of {name} was changed meanwhile.", "Look at the fingerprint again.", http_status=409
    ),
}
