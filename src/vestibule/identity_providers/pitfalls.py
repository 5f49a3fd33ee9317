"""The usual mistakes: by what a refusal is recognised as one, who ends it, and with which click."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from vestibule.identity_providers.base import Guide, Pitfall
from vestibule.identity_providers.catalogue import CATALOGUE

__all__ = ["Advice", "Pitfall", "advice", "of_words"]

Side = Literal["identity_provider", "vestibule", "user"]
Protocol = Literal["saml", "oidc"]


@dataclass(frozen=True)
class Advice:
    """Who has to act, and one sentence that says where to click."""

    side: Side
    fix: str


class _Entry(NamedTuple):
    """`places` are keys of a guide's places; the first that is there is the click."""

    side: Side
    fix: str
    places: tuple[str, ...]


# Nothing is to be taken from the message: anybody can write a certificate or an issuer into one.
_ENTRIES: Final[Mapping[Pitfall, _Entry]] = {
    Pitfall.NAME_ID_FORMAT: _Entry(
        "identity_provider",
        "map email to an attribute that holds the address, or send it as the NameID",
        ("name_id",),
    ),
    Pitfall.NAME_ID_CHANGES: _Entry(
        "identity_provider",
        "map idp_user_id to an attribute that stays the same, or send such a NameID",
        ("name_id",),
    ),
    Pitfall.ATTRIBUTE_NOT_SENT: _Entry(
        "identity_provider",
        "change the connection's attribute_mapping to a name that was received, or send the "
        "attribute under the mapped name",
        ("attributes",),
    ),
    Pitfall.ACS_URL_MISMATCH: _Entry(
        "identity_provider",
        "enter the connection's acs_url as it is, character by character",
        ("acs_url",),
    ),
    Pitfall.AUDIENCE_MISMATCH: _Entry(
        "identity_provider",
        "enter the connection's audience_uri as it is, character by character",
        ("audience_uri",),
    ),
    Pitfall.STALE_METADATA: _Entry(
        "vestibule",
        "the signing certificate was renewed: read the metadata again or upload the new "
        "certificate, which you take from the console and never from this message",
        ("metadata_url", "metadata_file", "x509_certificate"),
    ),
    Pitfall.WRONG_CERTIFICATE: _Entry(
        "vestibule",
        "another of its certificates is the active signing certificate: upload that one, which "
        "you take from the console and never from this message",
        ("x509_certificate", "metadata_url", "metadata_file"),
    ),
    Pitfall.REDIRECT_URI_MISMATCH: _Entry(
        "identity_provider",
        "enter the connection's redirect_url as it is, character by character",
        ("redirect_url",),
    ),
    Pitfall.DISCOVERY_URL_AS_ISSUER: _Entry(
        "vestibule",
        "the connection's issuer is the address of a discovery document: enter the issuer itself",
        ("issuer",),
    ),
    Pitfall.ISSUER_NOT_EXACT: _Entry(
        "vestibule",
        "enter the issuer into the connection exactly as the console shows it, to the last slash",
        ("issuer", "idp_entity_id", "metadata_url", "metadata_file"),
    ),
    Pitfall.MISSING_SECRET: _Entry(
        "vestibule", "give the connection its client_secret", ("client_secret",)
    ),
    Pitfall.WRONG_SECRET: _Entry(
        "vestibule",
        "compare client_id and client_secret with the application's and enter them anew",
        ("client_secret",),
    ),
    Pitfall.EXPIRED_SECRET: _Entry(
        "vestibule",
        "the client secret has expired: make a new one and give it to the connection",
        ("client_secret",),
    ),
    Pitfall.USER_NOT_ASSIGNED: _Entry(
        "identity_provider",
        "assign the person, or one of their groups, to the application",
        ("assignment",),
    ),
    Pitfall.TOO_MANY_GROUPS: _Entry(
        "identity_provider",
        "the person is in too many groups, so none were sent: send only those that this "
        "application needs",
        ("groups",),
    ),
    Pitfall.ANSWERS_NO_REQUEST: _Entry(
        "identity_provider",
        "a sign-in that begins at the identity provider must not name a request",
        ("idp_initiated",),
    ),
}


def advice(pitfall: Pitfall, *, vendor: str, protocol: Protocol) -> Advice:
    """Return what ends this mistake, with the place in the vendor's console where it is known."""
    entry, provider = _ENTRIES[pitfall], CATALOGUE[vendor]
    guide = provider.saml if protocol == "saml" else provider.oidc
    place = _place(guide, entry.places)
    fix = f"{entry.fix} ({place})." if place else f"{entry.fix}."
    if vendor == "generic":
        return Advice(entry.side, fix[0].upper() + fix[1:])
    return Advice(entry.side, f"{provider.label}: {fix}")


def of_words(words: str) -> Pitfall | None:
    """Return the mistake that an identity provider's own error message stands for.

    Every vendor's signs are tried: a connection set up as `generic` may well be one of them.
    """
    lowered = words.lower()
    return next((meant for sign, meant in _SIGNS.items() if sign in lowered), None)


def names_requests_unasked(vendor: str) -> bool:
    """Tell whether this vendor is known to send an InResponseTo with what it began itself."""
    guide = CATALOGUE[vendor].saml
    return guide is not None and "idp_initiated" in guide.places


def _place(guide: Guide | None, names: tuple[str, ...]) -> str:
    places = guide.places if guide is not None else {}
    return next((places[name] for name in names if name in places), "")


# The longest first: a code says more than a word.
_SIGNS: Final[Mapping[str, Pitfall]] = dict(
    sorted(
        (item for provider in CATALOGUE.values() for item in provider.signs.items()),
        key=lambda item: -len(item[0]),
    )
)
