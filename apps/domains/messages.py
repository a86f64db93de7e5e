"""Texts of the problems with names, certificates and routes: what happened, what to do about it, who can."""

from __future__ import annotations

from apps.core.exceptions import PLATFORM_STAFF, SERVER_ADMINISTRATOR, Message, register

DNS = {
    "domains.dns_credentials_refused": Message(
        "{provider} refuses the platform's credentials: {words}",
        "Enter a key or token that may change the records of {zone}.",
        PLATFORM_STAFF,
    ),
    "domains.dns_unreachable": Message(
        "{provider} does not answer: {words}",
        "Check the provider's address and its status page; the platform tries again by itself.",
        PLATFORM_STAFF,
    ),
    "domains.dns_refused": Message(
        "{provider} refuses the change of {name}: {words}",
        "Check that the account may change this zone, and what its rules say about this name.",
        PLATFORM_STAFF,
    ),
    "domains.dns_zone_unknown": Message(
        "{provider} has no zone for {name}.",
        "Add the zone there, or choose the provider that holds it.",
        PLATFORM_STAFF,
    ),
    "domains.dns_settings_incomplete": Message(
        "The DNS provider {provider} is not set up: {missing}.", "Complete its settings.", PLATFORM_STAFF
    ),
    "domains.dns_record_taken": Message(
        "{name} has a {record_type} record already, which the platform did not write: {values}.",
        "Remove that record, or set it to {value}.",
        PLATFORM_STAFF,
        409,
    ),
    "domains.dns_not_propagated": Message(
        "The name servers of {zone} do not show the {record_type} record of {name} after {seconds} s: {words}",
        "Check that the zone is delegated to the provider that the platform writes to, then try again.",
        PLATFORM_STAFF,
    ),
    "domains.dns_name_missing": Message(
        "{name} does not resolve.", "Set this record at your DNS provider: {record}. Then check again."
    ),
    "domains.dns_by_hand": Message(
        "The DNS provider {provider} is by hand: a wildcard certificate needs one that the platform can write to.",
        "Choose another DNS provider for the base domain; without it each name gets its own certificate by HTTP-01.",
        PLATFORM_STAFF,
    ),
}

CERTIFICATES = {
    "domains.acme_not_configured": Message(
        "No certificate authority is configured.",
        "Set ACME_DIRECTORY_URL, for example to that of Let's Encrypt.",
        PLATFORM_STAFF,
    ),
    "domains.acme_unreachable": Message(
        "The certificate authority {directory} does not answer: {words}",
        "Check ACME_DIRECTORY_URL, ACME_CA_FILE and the network; the platform tries again by itself.",
        PLATFORM_STAFF,
    ),
    "domains.acme_refused": Message(
        "The certificate authority refuses: {words}",
        "Do what its words say; the order stands in the ledger.",
        PLATFORM_STAFF,
    ),
    "domains.acme_rate_limited": Message(
        "The certificate authority asks to wait: {words}",
        "The platform tries again by itself after {when}.",
        PLATFORM_STAFF,
        429,
    ),
    "domains.validation_failed": Message(
        "The certificate authority could not validate {names}: {words}",
        "Check that each name points to the server and that port 80 is open to everybody, then try again.",
    ),
    "domains.limit_reached": Message(
        "Not asked: {limit} for {what} would be exceeded.",
        "It is possible again after {when}.",
        PLATFORM_STAFF,
        429,
    ),
    "domains.challenge_not_reachable": Message(
        "{name} does not answer on port {port} with the token that was set: {words}",
        "Open port 80 of the server to everybody, and check that nothing else answers for this name.",
    ),
    "domains.ca_file_unreadable": Message(
        "The file ACME_CA_FILE cannot be used: {words}", "Give the path of a PEM file.", PLATFORM_STAFF
    ),
    "domains.certificate_not_shown": Message(
        "The proxy of {server} does not show the certificate for {name}: {words}",
        "Check on the server that the container oecsh_proxy runs and that its HTTPS port is open.",
        SERVER_ADMINISTRATOR,
    ),
    "domains.nowhere_to_prove": Message(
        "Nothing answers for {name} on any server, so it cannot be proven.",
        "Deploy the environment first.",
    ),
    "domains.order_too_slow": Message(
        "The certificate authority did not finish within {seconds} s.", "Try again later.", PLATFORM_STAFF
    ),
}

ROUTES = {
    "domains.route_broken": Message(
        "The proxy of {server} does not take the route of {name}: {words}",
        "The route from before is back in place. Check on the server that the container oecsh_proxy runs and that "
        "ports {ports} are open.",
        SERVER_ADMINISTRATOR,
    ),
}

register(DNS | CERTIFICATES | ROUTES)
