"""Settings of the public API."""

from __future__ import annotations

from environs import Env

environment = Env()

# A moving minute, for each key. Changes of webhooks are counted a second time.
API_READS_PER_MINUTE = environment.int("API_READS_PER_MINUTE", 120)
API_WRITES_PER_MINUTE = environment.int("API_WRITES_PER_MINUTE", 20)
API_WEBHOOK_WRITES_PER_MINUTE = environment.int("API_WEBHOOK_WRITES_PER_MINUTE", 10)
# All keys of one person together may send as many requests as this many keys.
API_KEYS_WORTH_PER_PERSON = environment.int("API_KEYS_WORTH_PER_PERSON", 5)
API_BODY_BYTES = environment.int("API_BODY_BYTES", 256 * 1024)
# How often an open event stream looks for news, asks whether its key may still look, and says that it lives.
API_STREAM_POLL_SECONDS = 1.0
API_STREAM_HEARTBEAT_SECONDS = 15.0
# Event streams that are open at once in one web process.
API_STREAMS_PER_KEY = environment.int("API_STREAMS_PER_KEY", 10)
API_STREAMS_PER_PERSON = environment.int("API_STREAMS_PER_PERSON", 20)
API_STREAMS_PER_PROCESS = environment.int("API_STREAMS_PER_PROCESS", 200)

# The framework's own default lets everybody in.
REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "apps.api.schema.Schema",
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "OEC.SH",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "DESCRIPTION": "Odoo hosting on your own servers. Keys are made in the portal, under Settings.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "PREPROCESSING_HOOKS": ["apps.api.schema.only_the_api"],
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "apps.api.schema.add_errors"],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "TaskStatus": "apps.operations.models.Status",
        "TaskTrigger": "apps.operations.models.Trigger",
        "LogLevel": "apps.operations.models.Level",
        "EnvironmentStatus": "apps.environments.models.Status",
        "EnvironmentType": "apps.environments.models.EnvironmentType",
        "PoolMode": "apps.environments.models.PoolMode",
        "VariableKind": "apps.environments.models.EnvironmentVariable.Kind",
        "Role": "apps.orgs.roles.Role",
        "ProjectRole": "apps.orgs.roles.ProjectRole",
        "TeamColour": "apps.orgs.models.Colour",
        "QuotaRequestStatus": "apps.orgs.models.QuotaRequest.Status",
        "KeyKind": "apps.api.models.ApiKey.Kind",
        "KeyStatus": "apps.api.models.KEY_STATUSES",
        "DeploymentStatus": "apps.deployments.models.DeploymentStatus",
        "DeploymentTrigger": "apps.deployments.models.Trigger",
        "ServerStatus": "apps.servers.models.Server.Status",
        "RepositoryKind": "apps.projects.models.Repository.Kind",
        "GitCredentialKind": "apps.projects.models.GitCredential.Kind",
        "RegistryKind": "apps.projects.models.RegistryAccount.Kind",
        "OdooVersion": "apps.projects.models.OdooVersion",
        "DeliveryStatus": "apps.notifications.models.OutboxStatus",
        "NotificationChannel": "apps.notifications.models.Channel",
        "NoticeLevel": "apps.api.resources.notices.LEVELS",
        "InvitationState": "apps.orgs.models.Invitation.State",
        "OverrideEffect": "apps.orgs.models.PermissionOverride.Effect",
        "WebhookFormat": "apps.notifications.models.Format",
    },
}
