"""Addresses of the pages about rights: teams, roles, a person's rights, a project's people."""

from __future__ import annotations

from django.urls import path

from apps.portal.views import custom_roles, person_rights, project_members, teams

_SETTINGS = "o/<slug:organization>/settings/"
_TEAM = f"{_SETTINGS}teams/<uuid:team>/"
_ROLE = f"{_SETTINGS}roles/<uuid:role>/"
_PERSON = f"{_SETTINGS}members/<uuid:membership_id>/rights/"
_PROJECT = "o/<slug:organization>/p/<slug:project>/members/"
rights_pages = [
    path(f"{_SETTINGS}teams/", teams.team_list, name="teams"),
    path(_TEAM, teams.team_detail, name="team"),
    path(f"{_TEAM}delete/", teams.team_delete, name="team_delete"),
    path(f"{_TEAM}add/", teams.member_add, name="team_member_add"),
    path(f"{_TEAM}remove/", teams.member_remove, name="team_member_remove"),
    path(f"{_TEAM}project/", teams.project_role, name="team_project"),
    path(f"{_SETTINGS}roles/", custom_roles.matrix, name="roles"),
    path(f"{_SETTINGS}roles/new/", custom_roles.role_create, name="role_create"),
    path(_ROLE, custom_roles.role_edit, name="role"),
    path(f"{_ROLE}delete/", custom_roles.role_delete, name="role_delete"),
    path(_PERSON, person_rights.person_rights, name="person_rights"),
    path(f"{_PERSON}override/", person_rights.override_set, name="override_set"),
    path(f"{_PERSON}override/<uuid:override>/remove/", person_rights.override_remove, name="override_remove"),
    path(f"{_PERSON}role/", person_rights.role_give, name="role_give"),
    path(f"{_PERSON}role/<uuid:assignment>/take/", person_rights.role_take, name="role_take"),
    path(_PROJECT, project_members.people, name="project_members"),
    path(f"{_PROJECT}person/", project_members.person_role, name="project_person"),
    path(f"{_PROJECT}team/", project_members.team_role, name="project_team"),
]
