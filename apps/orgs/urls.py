"""Addresses of an organization's own pages: people, teams, roles, quotas, audit."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path

from apps.orgs.views import brand, joining, members

app_name = "orgs"
_MEMBERS = "o/<slug:organization>/settings/members/"
member_pages: list[URLPattern] = [
    path(_MEMBERS, members.member_list, name="members"),
    path(f"{_MEMBERS}leave/", members.leave, name="leave"),
    path(f"{_MEMBERS}<uuid:membership_id>/role/", members.change_role, name="change_role"),
    path(f"{_MEMBERS}<uuid:membership_id>/remove/", members.remove, name="remove_member"),
    path("join/", joining.by_code, name="join_code"),
    path("join/<str:link_token>/", joining.by_link, name="join"),
]
brand_pages: list[URLPattern] = [
    re_path(r"^brand/(?P<colour>[0-9a-f]{6})\.css$", brand.style, name="style"),
    path("logo/<uuid:organization_id>/<slug:version>.png", brand.logo, name="logo"),
]
# One list for each topic, so that each stands beside its views.
urlpatterns: list[URLPattern] = [*member_pages, *brand_pages]
