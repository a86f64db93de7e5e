"""How an order fails at the authority. Apart from the ACME library, which is loaded for an order only."""

from __future__ import annotations

from apps.core.exceptions import Problem


class OrderFailed(Problem):
    """The authority refused or could not validate. `error_type` is its problem type, `failed_names` whose validation
    failed."""

    error_type: str = ""
    failed_names: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, code: str, *, error_type: str = "", failed_names: tuple[str, ...] = (), **context: object
    ) -> OrderFailed:
        """The failure with what the ledger keeps of it."""
        failure = cls(code, **context)
        failure.error_type = error_type
        failure.failed_names = failed_names
        return failure
