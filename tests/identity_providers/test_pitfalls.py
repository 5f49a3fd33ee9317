"""Every mistake has its side and its sentence, for every vendor and both protocols."""

import pytest

from vestibule.identity_providers import pitfalls
from vestibule.identity_providers.catalogue import CATALOGUE
from vestibule.identity_providers.pitfalls import Pitfall, Protocol, advice, of_words

PROTOCOLS: tuple[Protocol, ...] = ("saml", "oidc")
# What a connection of the other protocol has not.
ONLY: dict[Pitfall, Protocol] = {
    Pitfall.NAME_ID_FORMAT: "saml",
    Pitfall.NAME_ID_CHANGES: "saml",
    Pitfall.ACS_URL_MISMATCH: "saml",
    Pitfall.AUDIENCE_MISMATCH: "saml",
    Pitfall.STALE_METADATA: "saml",
    Pitfall.WRONG_CERTIFICATE: "saml",
    Pitfall.ANSWERS_NO_REQUEST: "saml",
    Pitfall.ATTRIBUTE_NOT_SENT: "saml",
    Pitfall.REDIRECT_URI_MISMATCH: "oidc",
    Pitfall.DISCOVERY_URL_AS_ISSUER: "oidc",
    Pitfall.MISSING_SECRET: "oidc",
    Pitfall.WRONG_SECRET: "oidc",
    Pitfall.EXPIRED_SECRET: "oidc",
}


@pytest.mark.parametrize("pitfall", Pitfall)
@pytest.mark.parametrize("vendor", CATALOGUE)
def test_advice_is_one_sentence_with_the_vendors_click(vendor: str, pitfall: Pitfall) -> None:
    for protocol in PROTOCOLS:
        found = advice(pitfall, vendor=vendor, protocol=protocol)
        assert found.side in {"identity_provider", "vestibule"}
        assert found.fix.endswith(".")
        assert found.fix.isascii()
        assert 30 <= len(found.fix) <= 300
        label = CATALOGUE[vendor].label
        assert found.fix.startswith(f"{label}: ") is (vendor != "generic")
        assert found.fix[0].isupper() or vendor == "miniorange"


@pytest.mark.parametrize(
    ("pitfall", "protocol"),
    [
        (pitfall, protocol)
        for pitfall in Pitfall
        for protocol in PROTOCOLS
        if ONLY.get(pitfall, protocol) == protocol
    ],
)
@pytest.mark.parametrize("vendor", CATALOGUE)
def test_every_vendor_with_a_guide_has_a_place_to_click(
    vendor: str, pitfall: Pitfall, protocol: Protocol
) -> None:
    guide = getattr(CATALOGUE[vendor], protocol)
    without = {
        # Only Rippling does it; Google sends no groups by OpenID Connect.
        (Pitfall.ANSWERS_NO_REQUEST, vendor != "rippling"),
        (Pitfall.TOO_MANY_GROUPS, (vendor, protocol) == ("google-workspace", "oidc")),
        # The attributes of a token are its standard claims.
        (Pitfall.ATTRIBUTE_NOT_SENT, protocol == "oidc"),
    }
    has_place = guide is not None and (pitfall, True) not in without
    assert advice(pitfall, vendor=vendor, protocol=protocol).fix.endswith(").") is has_place


def test_every_pitfall_is_known_to_one_protocol_at_least() -> None:
    assert set(pitfalls._ENTRIES) == set(Pitfall)


@pytest.mark.parametrize("vendor", CATALOGUE)
def test_a_vendors_signs_are_found_in_its_messages(vendor: str) -> None:
    for sign, meant in CATALOGUE[vendor].signs.items():
        assert sign == sign.lower()
        assert of_words(f"Error: {sign.upper()} (trace 7)") is meant


def test_of_two_signs_the_longer_one_counts() -> None:
    assert of_words("AADSTS7000222: expired; redirect_uri was given") is Pitfall.EXPIRED_SECRET
    assert of_words("AADSTS500112: reply address") is Pitfall.REDIRECT_URI_MISMATCH


@pytest.mark.parametrize("words", ["", "access_denied", "server_error: try later", "invalid_grant"])
def test_other_words_stand_for_nothing(words: str) -> None:
    assert of_words(words) is None


def test_only_rippling_names_requests_unasked() -> None:
    assert [key for key in CATALOGUE if pitfalls.names_requests_unasked(key)] == ["rippling"]
