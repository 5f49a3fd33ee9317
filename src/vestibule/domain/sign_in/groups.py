"""The groups of an identity: sent, not sent, or sent in a way that cannot be read.

Not sent (None) is not the same as none (an empty tuple): the first leaves what was known, the
second takes it away (semantics 2.6).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from vestibule import errors
from vestibule.errors import ErrorType, Failure
from vestibule.identity_providers import microsoft_entra
from vestibule.records import Identity, Json

_MAX_GROUPS: Final = 1000
_DEFAULT_CLAIM: Final = "groups"


def of_assertion(attributes: Mapping[str, Sequence[str]], mapping: Json) -> tuple[str, ...] | None:
    """Return the values of the attribute that `groups` is mapped to; None when it did not come.

    Raises Failure invalid_saml_response_groups when there are more than 1000.
    """
    name = mapping.get("groups")
    if name is None or name not in attributes:
        return None
    return _limited(tuple(attributes[name]), errors.invalid_saml_response_groups)


def of_claims(claims: Mapping[str, Any], mapping: Json, *, needed: bool) -> tuple[str, ...] | None:
    """Return the groups claim, `groups` unless it is mapped; None when it did not come.

    It is a list of names or, where there is but one, a name. Where roles hang on groups (`needed`)
    or the claim is mapped, anything else is refused; otherwise it is a claim like others. Raises
    Failure oidc_invalid_userinfo.
    """
    name = mapping.get("groups", _DEFAULT_CLAIM)
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, str):
        return (value,) if value else ()
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return _limited(tuple(value), errors.oidc_invalid_userinfo)
    if needed or "groups" in mapping:
        raise Failure(
            errors.oidc_invalid_userinfo,
            f"The claim {name} (groups) is {_kind(value)}; expected a list of texts.",
        )
    return None


def are_left_out(identity: Identity) -> bool:
    """Tell whether the identity provider says that there are too many groups for its message.

    So they count as not sent, and the roles of the last login that had them stay.
    """
    received = identity.attributes
    return identity.groups is None and (
        microsoft_entra.groups_are_left_out(received) or microsoft_entra.groups_are_linked(received)
    )


def or_none_at_all(identity: Identity) -> Identity:
    """Return an identity that came without groups as one with none.

    Not where the identity provider says that there are too many for its message.
    """
    if identity.groups is not None or are_left_out(identity):
        return identity
    return replace(identity, groups=())


def _kind(value: object) -> str:
    if isinstance(value, list):
        return "a list with something else than texts"
    return {dict: "an object", bool: "true or false"}.get(type(value), "a number")


def _limited(groups: tuple[str, ...], error: ErrorType) -> tuple[str, ...]:
    if len(groups) > _MAX_GROUPS:
        raise Failure(
            error,
            f"{len(groups)} groups were sent; at most {_MAX_GROUPS} are read. Let the identity "
            "provider send only the groups that this application needs.",
        )
    return tuple(dict.fromkeys(groups))
