"""Texts of the problems with projects, repositories and registries."""

from __future__ import annotations

from apps.core.exceptions import PLATFORM_STAFF, Message, register

REPOSITORIES = {
    "projects.repository_not_found": Message(
        "The repository {repository} was not found.",
        "Check the address. Many Git servers also say this of a private repository: then choose a credential that may "
        "read it.",
    ),
    "projects.repository_needs_password": Message(
        "The repository {repository} is private.",
        "Choose a credential for it: an access token for addresses with https://, or a deploy key for SSH.",
    ),
    "projects.wrong_token": Message(
        "The Git server {host} refused the access token.",
        "Check that the token is not expired and may read {repository}, and that the user name is right.",
    ),
    "projects.token_for_another_host": Message(
        "The access token is for {host} and is not sent to {other}.", "Add a credential for {other}."
    ),
    "projects.git_key_refused": Message(
        "The Git server {host} refused the deploy key.",
        "Add the public key, which the project's settings show, to the deploy keys of {repository}.",
    ),
    "projects.git_needs_deploy_key": Message(
        "{host} is reached by SSH, which needs a deploy key.",
        "Choose or generate a deploy key, or use the https:// address of the repository.",
    ),
    "projects.git_host_key_changed": Message(
        "The SSH key of the Git server {host} is not the one that was pinned: nothing was fetched.",
        "Compare the fingerprint with the one that the Git server's operator publishes. If the change is genuine, "
        "press “Forget the host key” beside the credential. If nobody changed it, somebody may be listening in.",
    ),
    "projects.git_insecure": Message(
        "{host} would be reached over HTTP without encryption.", "Use the https:// or SSH address of the repository."
    ),
    "projects.git_tls_failed": Message(
        "The certificate of the Git server {host} could not be verified.",
        "The Git server needs a certificate of a known authority, for the name {host}.",
    ),
    "projects.git_unreachable": Message(
        "The Git server {host} cannot be reached.",
        "Check the address, and that the Git server is up and lets the platform in; then try again.",
    ),
    "projects.git_timeout": Message(
        "Fetching {repository} took more than {seconds} seconds and was stopped.",
        "Try again; if it happens again, check the Git server, or make the repository smaller.",
    ),
    "projects.git_says_too_much": Message(
        "The Git server of {repository} sends words without end (more than {megabytes} MB), and was stopped.",
        "Check the address of the repository, and that it has no more branches and tags than people use.",
    ),
    "projects.git_disk_full": Message(
        "There is no room for the source code on the platform.", "Free some space for RUN_DIRECTORY.", PLATFORM_STAFF
    ),
    "projects.git_failed": Message("Git could not read {repository}.", "It said: {words}"),
    "projects.repository_moved": Message(
        "The Git server {host} answers for {repository} with a redirection.",
        "Open the address in a browser, and enter the one that it ends at.",
    ),
    "projects.repository_too_large": Message(
        "The repository {repository} is larger than {megabytes} MB.",
        "Make it smaller (large files do not belong into Git), or ask platform staff for a higher limit.",
    ),
    "projects.branch_not_found": Message(
        "There is no branch or tag {branch} in {repository}.",
        "Check the name in the settings of the environment and of the project, or push that branch.",
    ),
    "projects.commit_not_found": Message(
        "The commit {commit} is not in {repository} (any more).",
        "Deploy the newest commit of the branch, or push the missing one again.",
    ),
}

SOURCE = {
    "projects.subdirectory_not_found": Message(
        "There is no folder {folder} in commit {commit}.", "Correct the folder in the settings of the repository."
    ),
    "projects.unsafe_path": Message(
        "{path} in {repository} points outside of the repository, or is no ordinary file.",
        "Remove it from the repository: links may only lead to files inside.",
    ),
    "projects.export_too_large": Message(
        "The files of {repository} are more than {megabytes} MB or {files} in number.",
        "Remove what Odoo does not need from the branch.",
    ),
    "projects.manifest_invalid": Message("The manifest {path} cannot be read.", "{reason} Correct it and push again."),
    "projects.module_name_invalid": Message(
        "“{module}” is no name for an Odoo module.",
        "Rename the folder: letters, digits and underscores, not starting with a digit.",
    ),
}

REGISTRIES = {
    "projects.registry_refused": Message(
        "The registry {host} refused the user name or the password.",
        "Check both. GitHub, GitLab and Docker Hub want an access token that may read packages, not your own password.",
    ),
    "projects.registry_unreachable": Message(
        "The registry {host} does not answer ({reason}).", "Check the host name, then try again."
    ),
    "projects.registry_not_a_registry": Message(
        "What answers at {host} is not a container registry ({reason}).", "Check the host name."
    ),
}

PROJECTS = {
    "projects.slug_taken": Message(
        "There is a project with the short name {slug} already.", "Choose another short name.", http_status=409
    ),
    "projects.name_taken": Message("The name {name} is taken.", "Choose another name.", http_status=409),
    "projects.has_environments": Message(
        "The project {project} still has environments: {environments}.",
        "Destroy them first; a project is deleted when nothing of it runs any more.",
        http_status=409,
    ),
    "projects.confirmation_differs": Message("The name does not match.", "Type {expected} to confirm."),
    "projects.credential_in_use": Message(
        "{name} is used by {users}.", "Give those another credential first.", http_status=409
    ),
    "projects.primary_exists": Message(
        "The project has a primary repository already.",
        "Change that one, or add this as a module repository.",
        http_status=409,
    ),
    "projects.version_is_fixed": Message(
        "The Odoo version cannot change while environments exist.",
        "Their databases would have to be upgraded. Create a project with the other version.",
        http_status=409,
    ),
}

register(REPOSITORIES | SOURCE | REGISTRIES | PROJECTS)
