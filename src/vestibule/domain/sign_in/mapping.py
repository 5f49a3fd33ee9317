"""From what an identity provider sent to the one neutral identity (semantics 2.5). Pure."""

from collections.abc import Mapping
from typing import Any, Final

from vestibule import errors
from vestibule.domain.email import read_email
from vestibule.domain.sign_in import groups
from vestibule.errors import ErrorType, Failure
from vestibule.identity_providers.pitfalls import Pitfall
from vestibule.oidc.claims import about_person
from vestibule.records import Identity, Json, OidcConfiguration
from vestibule.saml.assertion import single_value
from vestibule.saml.errors import SamlError
from vestibule.saml.response import VerifiedAssertion

_NAMEID: Final = "NameID"
_TRANSIENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
_KNOWN: Final = frozenset(
    {"email", "full_name", "first_name", "last_name", "idp_user_id", "groups"}
)
_MAX_EXTERNAL_ID: Final = 1024  # bytes: what an index takes is limited
_MAX_NAME: Final = 256
_MOST_NAMES_TOLD: Final = 10


class NotMapped(Failure):
    """The answer is genuine, but what the mapping looks for is not there or is of no use.

    `expected` and `received` are for the trace, as is the mistake it looks like.
    """

    def __init__(
        self, error: ErrorType, message: str, *, pitfall: Pitfall, expected: str, received: str
    ) -> None:
        super().__init__(error, message)
        self.pitfall = pitfall
        self.expected = expected
        self.received = received


def saml_identity(assertion: VerifiedAssertion, mapping: Json) -> Identity:
    """Return the identity that `mapping` finds in a verified assertion.

    Raises Failure invalid_saml_response_email, invalid_saml_response_groups, or
    invalid_saml_response when nothing stable names the person, and SamlError saml.attr for two
    values of what can have one.
    """
    values = assertion.attributes
    return Identity(
        external_id=_saml_external_id(assertion, mapping),
        email_address=_saml_email(assertion, mapping),
        name=_name(
            *(
                _single(assertion, mapping[key]) if key in mapping else ""
                for key in ("full_name", "first_name", "last_name")
            )
        ),
        groups=groups.of_assertion(values, mapping),
        attributes={name: list(items) for name, items in values.items()},
        metadata={
            key: _flat(values[name])
            for key, name in mapping.items()
            if key not in _KNOWN and name in values
        },
        session_index=assertion.session_index or "",
        name_id=assertion.name_id or "",
        name_id_format=assertion.name_id_format or "",
    )


def oidc_identity(
    subject: str, claims: Mapping[str, Any], email: str | None, oidc: OidcConfiguration
) -> Identity:
    """Return the identity of `claims` (ID token and userinfo together) at this connection.

    `email` is the address of whichever of the two said whether it is verified. The identity's key
    is always `sub` (OI-44). Raises Failure oidc_response_email_missing, oidc_invalid_userinfo.
    """
    mapping = oidc.attribute_mapping or {}
    mapped = claims.get(mapping["email"]) if "email" in mapping else email
    if not isinstance(mapped, str) or not mapped:
        raise _not_sent(
            errors.oidc_response_email_missing, mapping.get("email", "email"), sorted(claims)
        )
    return Identity(
        external_id=subject,
        email_address=_address(mapped, errors.oidc_response_email_missing),
        name=_name(
            _text(claims.get(mapping.get("full_name", "name"))),
            _text(claims.get(mapping.get("first_name", "given_name"))),
            _text(claims.get(mapping.get("last_name", "family_name"))),
        ),
        groups=groups.of_claims(claims, mapping, needed=bool(oidc.group_roles)),
        attributes=about_person(claims),
        metadata={
            key: claims[name]
            for key, name in mapping.items()
            if key not in _KNOWN and name in claims
        },
    )


def _saml_email(assertion: VerifiedAssertion, mapping: Json) -> str:
    error = errors.invalid_saml_response_email
    wanted = mapping.get("email", _NAMEID)
    if wanted == _NAMEID:
        return _name_id_address(assertion)
    try:
        value = single_value(assertion.attributes, wanted)
    except SamlError as twice:
        # Several addresses would leave a choice (SP-46).
        raise Failure(
            error, f"The attribute {wanted} (mapped to email) has {twice.received} values."
        ) from None
    if value is None:
        raise _not_sent(error, wanted, sorted(assertion.attributes))
    return _address(value, error)


def _name_id_address(assertion: VerifiedAssertion) -> str:
    value = assertion.name_id or ""
    try:
        return read_email(value)[0]
    except Failure:
        raise NotMapped(
            errors.invalid_saml_response_email,
            f"The NameID is mapped to email, and is no valid address: {value[:200]!r}.",
            pitfall=Pitfall.NAME_ID_FORMAT,
            expected="an e-mail address as the NameID",
            received=f"{value!r} of format {assertion.name_id_format or 'not stated'}",
        ) from None


def _not_sent(error: ErrorType, name: str, received: list[str]) -> NotMapped:
    told = ", ".join(received[:_MOST_NAMES_TOLD]) or "nothing"
    more = f" and {len(received) - _MOST_NAMES_TOLD} more" if received[_MOST_NAMES_TOLD:] else ""
    return NotMapped(
        error,
        f"{name} (mapped to email) was not sent.",
        pitfall=Pitfall.ATTRIBUTE_NOT_SENT,
        expected=f"{name}, mapped to email",
        received=told + more,
    )


def _address(text: str, error: ErrorType) -> str:
    try:
        return read_email(text)[0]
    except Failure:
        raise Failure(error, f"The e-mail sent is not a valid address: {text[:200]!r}.") from None


def _saml_external_id(assertion: VerifiedAssertion, mapping: Json) -> str:
    mapped = mapping.get("idp_user_id")
    value = _single(assertion, mapped) if mapped else ""
    if not value and assertion.name_id_format == _TRANSIENT:
        # It changes with every login, so each would make another member (SP-44).
        raise NotMapped(
            errors.invalid_saml_response,
            "The NameID is transient: map idp_user_id to an attribute that stays the same, or let "
            "the identity provider send a persistent NameID.",
            pitfall=Pitfall.NAME_ID_CHANGES,
            expected="a NameID that stays the same, or idp_user_id",
            received=f"a NameID of format {_TRANSIENT}",
        )
    external_id = value or assertion.name_id or ""
    if not external_id.strip():
        raise Failure(
            errors.invalid_saml_response, "The response names nobody: no NameID and no idp_user_id."
        )
    if len(external_id.encode()) > _MAX_EXTERNAL_ID:
        raise Failure(
            errors.invalid_saml_response,
            f"The id of the person (idp_user_id or NameID) is longer than {_MAX_EXTERNAL_ID} bytes "
            "in UTF-8.",
        )
    return external_id


def _single(assertion: VerifiedAssertion, name: str) -> str:
    """Return the one value of an attribute, '' when there is none (SP-45)."""
    try:
        return single_value(assertion.attributes, name) or ""
    except SamlError as error:
        raise error.after(assertion.steps) from None


def _name(full: str, first: str, last: str) -> str:
    return (full.strip() or f"{first.strip()} {last.strip()}".strip())[:_MAX_NAME]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _flat(values: tuple[str, ...]) -> object:
    """Return one value as text and several as a list (semantics 2.5)."""
    return values[0] if len(values) == 1 else list(values)
