"""Authentication factors of a session: added, proven again, and what each is called in settings."""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from vestibule.records import Factor

# Type and delivery method of a factor (semantics 1.5), and its name in `allowed_auth_methods`.
_METHODS: Final = {
    ("sso", "sso_saml"): "sso",
    ("sso", "sso_oidc"): "sso",
    ("magic_link", "email"): "magic_link",
    ("email_otp", "email"): "email_otp",
    ("otp", "email"): "email_otp",
    ("password", "knowledge"): "password",
}
_BY_EMAIL: Final = frozenset({"magic_link", "email_otp"})


def method_of(factor: Factor) -> str:
    """Return the organization's name for a primary factor's method; '' for any other factor."""
    return _METHODS.get((factor.type, factor.delivery_method), "")


def proven_address(factor: Factor) -> str:
    """Return the e-mail address that a factor proves to everybody; '' where it proves none.

    What an identity provider asserts, it asserts to the organization that it belongs to.
    """
    proves = method_of(factor) in _BY_EMAIL
    return str(factor.details["email_address"]) if proves else ""


def impersonates(factors: Iterable[Factor]) -> bool:
    """True when somebody else than the member is behind a session with these factors."""
    return any(factor.type == "impersonated" for factor in factors)


def with_factor(factors: Sequence[Factor], proven: Factor) -> tuple[Factor, ...]:
    """Return `factors` with one that has just been proven, last.

    A factor of the same connection, or of the same phone or authenticator, is the same one, proven
    again: it keeps when it was made.
    """
    same = [factor for factor in factors if _is_same(factor, proven)]
    others = [factor for factor in factors if factor not in same]
    created_at = min((factor.created_at for factor in same), default=proven.created_at)
    return (*others, replace(proven, created_at=created_at))


def capped(moment: int, factors: Iterable[Factor]) -> int:
    """Return `moment`, or before it the time at which one of `factors` ends."""
    return min(
        (factor.ends_at for factor in factors if 0 < factor.ends_at < moment), default=moment
    )


def without_connection(factors: Sequence[Factor], connection_id: str) -> tuple[Factor, ...]:
    """Return `factors` without those of a connection; nothing when no primary one is left."""
    left = tuple(factor for factor in factors if connection_of(factor) != connection_id)
    return left if any(factor.sequence_order == "PRIMARY" for factor in left) else ()


def connection_of(factor: Factor) -> str:
    """Return the id of the connection that an SSO factor is of; '' for any other factor."""
    return str(factor.details.get("provider_id", ""))


def _is_same(left: Factor, right: Factor) -> bool:
    if connection_of(left) or connection_of(right):
        return connection_of(left) == connection_of(right)
    return (left.type, left.delivery_method, left.details) == (
        right.type,
        right.delivery_method,
        right.details,
    )
