"""Which events of the trail somebody wants to see."""

from __future__ import annotations

import uuid
from datetime import datetime, time, timedelta

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.audit.models import Event


class AuditFilter(forms.Form):
    """By person, action, object and days; the days are those of the reader's time zone."""

    person = forms.CharField(required=False, max_length=254, label="Person")
    action = forms.CharField(required=False, max_length=80, label="Action")
    target = forms.CharField(required=False, max_length=254, label="Object")
    since = forms.DateField(
        required=False, label="From", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    until = forms.DateField(
        required=False, label="To", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def clean(self) -> dict:
        """The days are in their order, and exist in every time zone."""
        data = super().clean()
        since, until = data.get("since"), data.get("until")
        for name, day in (("since", since), ("until", until)):
            if day and not 1970 <= day.year <= 9998:
                self.add_error(name, "Choose a day from 1970 on.")
        if since and until and since > until:
            self.add_error("until", "Choose a day that is not before the first.")
        return data

    def apply(self, events: QuerySet[Event]) -> QuerySet[Event]:
        """The events that match; none at all where the filter itself is wrong."""
        if not self.is_valid():
            return events.none()
        data = self.cleaned_data
        if data["person"]:
            events = events.filter(_named("actor", data["person"]) | _named("viewer", data["person"]))
        if data["action"]:
            events = events.filter(action__startswith=data["action"])
        if data["target"]:
            events = events.filter(_named("target", data["target"]) | Q(target_type__icontains=data["target"]))
        if data["since"]:
            events = events.filter(created_at__gte=_midnight(data["since"]))
        if data["until"]:
            events = events.filter(created_at__lt=_midnight(data["until"] + timedelta(days=1)))
        return events

    @property
    def is_filtered(self) -> bool:
        """True where anything was asked for."""
        return any(self.data.get(name) for name in self.fields)


def _named(field: str, words: str) -> Q:
    condition = Q(**{f"{field}_name__icontains": words})
    try:
        return condition | Q(**{f"{field}_id": uuid.UUID(words)})
    except ValueError:
        return condition


def _midnight(day: object) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
