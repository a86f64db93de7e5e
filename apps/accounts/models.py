"""People."""

from __future__ import annotations

import functools
import zoneinfo

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin, _user_has_perm
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse

from apps.core import clock
from apps.core.models import BaseModel
from apps.core.validators import validate_plain_text


@functools.cache
def time_zones() -> frozenset[str]:
    """The names of all zones of the IANA database, which are read from some six hundred files."""
    return frozenset(zoneinfo.available_timezones())


def validate_time_zone(value: str) -> None:
    """The name of a zone in the IANA database."""
    if value not in time_zones():
        raise ValidationError("This is not a time zone, such as Europe/Brussels.")


class UserManager(BaseUserManager["User"]):
    """Makes people; an e-mail address is stored in small letters."""

    def get_by_natural_key(self, username: str) -> User:
        return self.get(email__iexact=username)

    def create_user(self, email: str, password: str | None = None, **fields: object) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(BaseModel, AbstractBaseUser, PermissionsMixin):
    """A person. The e-mail address is the name to sign in with."""

    class Theme(models.TextChoices):
        SYSTEM = "system", "As the system"
        LIGHT = "light", "Light"
        DARK = "dark", "Dark"

    email = models.EmailField(unique=True)
    display_name = models.CharField(max_length=100, blank=True, validators=[validate_plain_text])
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    theme = models.CharField(max_length=10, choices=Theme.choices, default=Theme.SYSTEM)
    avatar_version = models.CharField(max_length=16, blank=True, editable=False)
    is_staff = models.BooleanField("platform staff", default=False)
    is_active = models.BooleanField(default=True)
    verify_by = models.DateTimeField(
        "confirms the address until",
        null=True,
        blank=True,
        help_text="Locked out from then on. Empty: confirmed, or made by staff.",
    )

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: list[str] = []

    # Set by `orgs.access.narrow` on one object, for one request; never stored.
    access_scope: object | None = None

    def __str__(self) -> str:
        return self.display_name or self.email

    @property
    def is_locked(self) -> bool:
        """True when the time to confirm the e-mail address is over; confirming it ends that."""
        return self.verify_by is not None and self.verify_by <= clock.now()

    @property
    def avatar_url(self) -> str:
        """The address of the person's picture, without the host; empty when there is none."""
        return reverse("accounts:avatar", args=[self.pk, self.avatar_version]) if self.avatar_version else ""

    def save(self, *args: object, **kwargs: object) -> None:
        self.email = self.email.lower()
        super().save(*args, **kwargs)

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """As Django's, besides that a portal admin who was narrowed to a scope is asked about like anybody: without
        that, `is_superuser` would answer before the scope is looked at."""
        if self.access_scope is not None:
            return self.is_active and _user_has_perm(self, perm, obj)
        return super().has_perm(perm, obj)

    def get_full_name(self) -> str:
        return str(self)

    def get_short_name(self) -> str:
        return str(self)


class Avatar(BaseModel):
    """A person's picture, drawn anew by us from what was uploaded. User.avatar_version is its digest, and part of its
    address, so that browsers may keep it for ever."""

    user = models.OneToOneField(User, models.CASCADE, related_name="avatar")
    picture = models.BinaryField()

    def __str__(self) -> str:
        return f"Picture of {self.user}"
