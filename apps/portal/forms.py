"""Forms of the account page and of a new organization."""

from __future__ import annotations

from functools import cache
from typing import Any

from django import forms

from apps.accounts import avatars
from apps.accounts.models import User, time_zones
from apps.core.validators import validate_slug


@cache
def time_zone_choices() -> list[tuple[str, str]]:
    """Zones as `Europe/Brussels`, UTC first; the database's own aliases without a place are left out."""
    names = sorted(name for name in time_zones() if "/" in name and not name.startswith("Etc/"))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


class AccountForm(forms.ModelForm):
    """What a person says about themselves."""

    time_zone = forms.ChoiceField(choices=time_zone_choices, help_text="Times are shown in this zone.")
    picture = forms.FileField(
        required=False,
        help_text="PNG, JPEG, WebP or GIF of 2 MB at most; a square of it is kept.",
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp,image/gif"}),
    )
    remove_picture = forms.BooleanField(required=False, label="Remove the picture")

    class Meta:
        model = User
        fields = ("display_name", "time_zone", "theme")
        labels = {"display_name": "Name"}
        help_texts = {"display_name": "Shown to the people of your organizations."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.avatar_version:
            del self.fields["remove_picture"]

    def clean_picture(self) -> bytes:
        """The picture drawn anew; nothing when none was chosen."""
        upload = self.cleaned_data["picture"]
        return avatars.redrawn(upload) if upload else b""


class OrganizationForm(forms.Form):
    """A new organization; the short name is made of the name when it is left empty."""

    name = forms.CharField(max_length=100, help_text="Your company, agency or team.")
    slug = forms.CharField(
        label="Short name",
        max_length=40,
        required=False,
        validators=[validate_slug],
        help_text="Part of the addresses; small letters, digits and hyphens. Left empty, it is made of the name.",
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "off"}),
    )

    field_order = ("name", "slug")
