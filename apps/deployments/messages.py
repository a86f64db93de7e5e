"""Texts of what can go wrong in a deployment."""

from __future__ import annotations

from apps.core.exceptions import PLATFORM_STAFF, SERVER_ADMINISTRATOR, USER, Message, register

VALIDATION = {
    "deployments.server_not_ready": Message(
        "The server {server} is not ready: it is {status}.",
        "Open the server's page, test the connection and prepare it; then deploy again.",
        SERVER_ADMINISTRATOR,
    ),
    "deployments.parameter_invalid": Message(
        "A parameter of the environment cannot be used.", "{words} Correct it in the settings of the environment."
    ),
    "deployments.disk_too_full": Message(
        "The server has too little disk space: {free} MB free under {path}, {wanted} MB wanted.",
        "Free some space or enlarge the disk. Wanted is what this deployment needs ({need} MB) and a third more, with "
        "a tenth of the disk left over.",
        SERVER_ADMINISTRATOR,
    ),
    "deployments.not_retryable": Message(
        "Deployment {number} cannot be tried again: it is {status}.",
        "Only a failed deployment can. Use Deploy to bring the environment to the newest state.",
        USER,
        409,
    ),
}

SOURCES = {
    "deployments.module_unknown_dependency": Message(
        "The module {module} depends on {missing}, which is in no repository and not part of Odoo {version}.",
        "Add the repository that holds it to the project, or correct “depends” in the manifest.",
    ),
    "deployments.module_left_out": Message(
        "The module {module} depends on {missing}, which is in no repository that could be read.",
        "This could not be read: {repositories}, of the platform. Platform staff can say why (“Check” in the list of "
        "platform repositories); then deploy again. If {missing} is of your own, add its repository to the project.",
        PLATFORM_STAFF,
    ),
    "deployments.platform_repository_failed": Message(
        "The platform's repository {name} cannot be used: {reason}",
        "{why} Tell platform staff, who mend it (“Check” in the list of platform repositories says more); then deploy "
        "again. What runs is not touched.",
        PLATFORM_STAFF,
    ),
    "deployments.module_not_installable": Message(
        "The module {module} is marked as not installable.",
        "Set “installable” to True in its manifest, or take it out of the project's list of modules.",
    ),
}

IMAGES = {
    "deployments.image_not_found": Message(
        "The image {image} does not exist, or needs a sign-in.",
        "Check its name and tag in the settings of the project. For a private image choose a registry account.",
    ),
    "deployments.image_denied": Message(
        "The registry refused to give out the image {image}.",
        "Check the registry account of the project: it needs the right to read this image. The registry said: {words}",
    ),
    "deployments.registry_unreachable": Message(
        "The server could not reach the registry of {image}.",
        "Check that the server has access to the internet or to its mirror. It said: {words}",
        SERVER_ADMINISTRATOR,
    ),
    "deployments.image_failed": Message(
        "The image {image} could not be brought to the server.", "Docker said: {words}", SERVER_ADMINISTRATOR
    ),
    "deployments.image_not_odoo": Message(
        "The image {image} has no user to run Odoo as: {words}",
        "Build it from an official Odoo image, or give it a user “odoo”.",
    ),
}

ODOO = {
    "deployments.install_failed": Message(
        "Odoo could not install {modules} (exit code {exit_code}).",
        "{reason} Odoo's own lines are below. Correct the module, push, and deploy again.",
    ),
    "deployments.base_install_failed": Message(
        "Odoo could not set up its database (exit code {exit_code}).",
        "{reason} Look at Odoo's own lines below, then try again.",
    ),
    "deployments.update_failed": Message(
        "Odoo could not update {modules} (exit code {exit_code}).",
        "{reason} Odoo's own lines are below. The database is put back as it was before this step, and the version "
        "that ran before goes on. Correct the module, push, and deploy again.",
    ),
    "deployments.module_does_not_load": Message(
        "The code of {modules} cannot be loaded by Odoo.",
        "{reason} Nothing was changed, and the version that ran before still runs. Correct the module, push, and "
        "deploy again.",
    ),
    "deployments.odoo_ended": Message(
        "Odoo ended by itself (exit code {exit_code}).",
        "{reason} Its last lines are in the log. Check the modules and the parameters of odoo.conf.",
    ),
    "deployments.not_healthy": Message(
        "Odoo did not become healthy within {seconds} seconds: {words}.",
        "Look at Odoo's last lines in the log of this step. {reason}",
    ),
    "deployments.websocket_refused": Message(
        "Odoo answers, but its websocket does not: {words}.",
        "Live chat and notifications would not work. Look at Odoo's last lines in the log of this step.",
        PLATFORM_STAFF,
    ),
}

ACCESS = {
    "deployments.password_already_shown": Message(
        "The first password was shown already.",
        "Sign in by “Open Odoo” and set another one under Preferences, Change password.",
        USER,
        410,
    ),
    "deployments.not_running": Message(
        "{environment} is not running.", "Start it first, then open it again.", USER, 409
    ),
}

register(VALIDATION | SOURCES | IMAGES | ODOO | ACCESS)
