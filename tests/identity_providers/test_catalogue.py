"""Every vendor of the API's enum is there, and what is said about it can be used as it stands."""

from pathlib import Path

import pytest

from vestibule import identity_providers
from vestibule.domain import connection_fields
from vestibule.identity_providers.base import Guide, IdentityProvider
from vestibule.identity_providers.catalogue import CATALOGUE

# The enum of the wire (contract/backend.md f).
ENUM = {
    "classlink", "cyberark", "duo", "generic", "google-workspace", "jumpcloud", "keycloak",
    "microsoft-entra", "miniorange", "okta", "onelogin", "pingfederate", "rippling", "salesforce",
    "shibboleth",
}  # fmt: skip
OURS = {
    "saml": {"acs_url", "audience_uri", "name_id", "attributes", "groups", "assignment"},
    "oidc": {"redirect_url", "assignment"},
}
THEIRS = {
    "saml": {"metadata_url", "metadata_file", "idp_sso_url", "idp_entity_id", "x509_certificate"},
    "oidc": {"client_id", "client_secret", "issuer"},
}
# What not every vendor can do: Google sends no groups by OpenID Connect.
SOME = {"saml": {"idp_initiated"}, "oidc": {"groups"}}
GUIDES = [
    pytest.param(protocol, guide, id=f"{provider.key}-{protocol}")
    for provider in CATALOGUE.values()
    for protocol, guide in (("saml", provider.saml), ("oidc", provider.oidc))
    if guide is not None
]


def test_catalogue_has_exactly_the_vendors_of_the_wire() -> None:
    assert set(CATALOGUE) == ENUM


def test_every_vendor_has_a_file_of_its_own() -> None:
    folder = Path(identity_providers.__file__).parent
    others = {"__init__", "base", "catalogue", "pitfalls"}
    files = {path.stem for path in folder.glob("*.py")} - others
    assert files == {key.replace("-", "_") for key in CATALOGUE}


@pytest.mark.parametrize("provider", CATALOGUE.values(), ids=CATALOGUE.keys())
def test_every_vendor_says_how_it_is_set_up(provider: IdentityProvider) -> None:
    assert provider.label
    assert provider.saml is not None
    for guide in filter(None, (provider.saml, provider.oidc)):
        assert guide.steps
        assert all(step.endswith(".") for step in guide.steps)


@pytest.mark.parametrize(("protocol", "guide"), GUIDES)
def test_guide_says_where_our_values_go_and_theirs_are_found(protocol: str, guide: Guide) -> None:
    assert guide.places.keys() >= OURS[protocol]
    assert guide.places.keys() <= OURS[protocol] | THEIRS[protocol] | SOME[protocol]
    assert all(guide.places.values())
    has_metadata = bool({"metadata_url", "metadata_file"} & guide.places.keys())
    assert has_metadata or guide.places.keys() >= THEIRS[protocol] - {
        "metadata_url",
        "metadata_file",
    }


@pytest.mark.parametrize(
    "provider", [each for each in CATALOGUE.values() if each.saml], ids=lambda each: each.key
)
def test_offered_saml_mapping_is_one_that_a_connection_takes(provider: IdentityProvider) -> None:
    assert provider.saml is not None
    mapping = connection_fields.attribute_mapping(provider.saml.attribute_mapping)
    assert {"email", "first_name", "last_name"} <= mapping.keys()
