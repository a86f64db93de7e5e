"""Password rules beyond Django's own."""

from __future__ import annotations

from django.core.exceptions import ValidationError

MESSAGE = "Use at least one capital letter, one small letter and one digit."


class MixedCharactersValidator:
    """At least one capital letter, one small letter and one digit (features ACC-1)."""

    def validate(self, password: str, user: object = None) -> None:
        tests = (str.isupper, str.islower, str.isdigit)
        if not all(any(test(character) for character in password) for test in tests):
            raise ValidationError(MESSAGE, code="password_too_uniform")

    def get_help_text(self) -> str:
        return MESSAGE
