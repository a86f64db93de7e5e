"""Addresses below `/api/public/v1/`."""

from __future__ import annotations

from django.urls import path, re_path

from apps.api.documentation import OpenApi, ReDoc, Swagger
from apps.api.errors import unknown_address
from apps.api.resources import (
    api_keys,
    audit,
    credentials,
    deployments,
    environment_actions,
    environment_logs,
    environments,
    events,
    invitations,
    me,
    member_rights,
    members,
    notices,
    organizations,
    project_members,
    projects,
    quotas,
    repositories,
    roles,
    servers,
    tasks,
    teams,
    variables,
    webhooks,
)

app_name = "api"
RESOURCES = (
    me,
    notices,
    organizations,
    members,
    roles,
    member_rights,
    invitations,
    teams,
    quotas,
    audit,
    api_keys,
    webhooks,
    servers,
    credentials,
    projects,
    project_members,
    repositories,
    environments,
    environment_actions,
    environment_logs,
    deployments,
    variables,
    tasks,
    events,
)

urlpatterns = [
    *(pattern for resource in RESOURCES for pattern in resource.urlpatterns),
    path("openapi.json", OpenApi.as_view(), name="openapi"),
    path("docs/", Swagger.as_view(), name="docs"),
    path("redoc/", ReDoc.as_view(), name="redoc"),
    re_path("", unknown_address, name="unknown"),
]
