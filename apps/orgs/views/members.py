"""Members: the list, roles, removal, leaving."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Case, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.models import User
from apps.orgs import members
from apps.orgs.access import has_permission, require
from apps.orgs.models import Membership, Organization
from apps.orgs.querysets import get_visible_or_404
from apps.orgs.roles import Role

PAGE_SIZE = 50
_RANK = Case(*(When(role=role, then=rank) for rank, role in enumerate(Role.values)), default=9)
SORTS = {
    "role": (_RANK, "user__email"),
    "-role": (_RANK.desc(), "user__email"),
    "email": ("user__email",),
    "-email": ("-user__email",),
    "created_at": ("created_at", "user__email"),
    "-created_at": ("-created_at", "user__email"),
}


@require_GET
@login_required
def member_list(request: HttpRequest, organization: str) -> HttpResponse:
    """Everybody in the organization, by words and role; the Owner first unless sorted otherwise."""
    found = get_visible_or_404(Organization, request.user, slug=organization)
    require(request.user, "org.members.list", found)
    people = Membership.objects.filter(organization=found).select_related("user")
    words = request.GET.get("q", "").replace("\0", "").strip()[:100]
    if words:
        people = people.filter(user__email__icontains=words) | people.filter(user__display_name__icontains=words)
    role, sort = request.GET.get("role", ""), request.GET.get("sort", "")
    if role in Role.values:
        people = people.filter(role=role)
    page = Paginator(people.order_by(*SORTS.get(sort, SORTS["role"])), PAGE_SIZE).get_page(request.GET.get("page"))
    may_manage = has_permission(request.user, "org.members.manage", found)
    roles = assignable_roles(request.user, found) if may_manage else []
    context = {
        "organization": found,
        "page": page,
        "roles": [(role.value, role.label) for role in roles],
        "filters": Role.choices,
        "may_manage": may_manage,
        "manageable": {role.value for role in roles},
        "may_transfer": has_permission(request.user, "org.ownership.transfer", found),
        "is_owner": Membership.objects.filter(organization=found, user=request.user, role=Role.OWNER).exists(),
    }
    return render(request, "orgs/members.html", context)


def assignable_roles(actor: User, organization: Organization) -> list[Role]:
    """The roles that the person may give: none that can do or see more."""
    return [role for role in Role if role != Role.OWNER and members.may_give(actor, organization, role)]


@require_POST
@login_required
def change_role(request: HttpRequest, organization: str, membership_id: uuid.UUID) -> HttpResponse:
    """Gives a member another role."""
    membership = _membership(request, organization, membership_id)
    require(request.user, "org.members.manage", membership.organization)
    role = request.POST.get("role", "")
    if role not in Role.values:
        messages.error(request, "Choose a role.")
        return redirect("orgs:members", organization)
    changed = members.change_role(membership=membership, role=role, actor=request.user)
    messages.success(request, f"{changed.user} is {changed.get_role_display()} now.")
    return redirect("orgs:members", organization)


@require_http_methods(["GET", "POST"])
@login_required
def remove(request: HttpRequest, organization: str, membership_id: uuid.UUID) -> HttpResponse:
    """Asks, then takes the member out."""
    membership = _membership(request, organization, membership_id)
    require(request.user, "org.members.manage", membership.organization)
    if request.method == "POST":
        members.remove_member(membership=membership, actor=request.user)
        messages.success(request, f"{membership.user} is no member any more.")
        return redirect("orgs:members", organization)
    return render(
        request, "orgs/member_remove.html", {"organization": membership.organization, "membership": membership}
    )


@require_http_methods(["GET", "POST"])
@login_required
def leave(request: HttpRequest, organization: str) -> HttpResponse:
    """Asks, then the person leaves; nobody needs a right for that."""
    found = get_visible_or_404(Organization, request.user, slug=organization)
    membership = get_visible_or_404(Membership, request.user, organization=found, user_id=request.user.pk)
    if request.method == "POST":
        members.leave(organization=found, user=request.user)
        messages.success(request, f"You left {found.name}.")
        return redirect("portal:home")
    return render(request, "orgs/member_leave.html", {"organization": found, "membership": membership})


def _membership(request: HttpRequest, organization: str, membership_id: uuid.UUID) -> Membership:
    rows = Membership.objects.select_related("organization", "user")
    return get_visible_or_404(rows, request.user, organization__slug=organization, pk=membership_id)
