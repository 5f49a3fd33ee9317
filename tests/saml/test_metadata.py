"""An identity provider's metadata read, a service provider's written."""

from base64 import b64encode

import pytest
from lxml import etree
from lxml.etree import _Element

from tests.support.saml_keys import (
    NOT_AFTER,
    NOT_BEFORE,
    certificate,
    signer,
    weak_certificate,
)
from tests.support.saml_metadata import (
    EMAIL,
    ENTITY_ID,
    POST,
    POST_SSO,
    REDIRECT,
    REDIRECT_SSO,
    SAML2,
    SOAP,
    certificate_body,
    entities,
    entity,
    key,
    role,
    service,
)
from vestibule.clock import DAY, HOUR
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.metadata import (
    IdentityProviderMetadata,
    parse_identity_provider,
    service_provider_metadata,
)
from vestibule.saml.xml import DS, MD, parse

NOW = 1_795_003_200_000_000  # 2026-11-18T12:00:00Z
ACS = "https://sso.example.com/v1/b2b/sso/callback/saml-connection-test-1"


def read(document: str, entity_id: str | None = None) -> IdentityProviderMetadata:
    return parse_identity_provider(document.encode(), now=NOW, entity_id=entity_id)


def good() -> str:
    return entity(role(keys=[key(signer("idp").pem)]))


def refusal(document: str, entity_id: str | None = None) -> SamlError:
    """Why `document` is refused, where the same reading accepts a good one."""
    assert read(good()).entity_id == ENTITY_ID
    with pytest.raises(SamlError) as refused:
        read(document, entity_id)
    return refused.value


# What a good document says ---------------------------------------------------------------------


def test_metadata_with_everything_is_read_in_full() -> None:
    idp = signer("idp")
    logout = [
        service(REDIRECT, "https://idp.example.com/slo", name="SingleLogoutService"),
        service(
            POST,
            "https://idp.example.com/slo/post",
            name="SingleLogoutService",
            more=' ResponseLocation="https://idp.example.com/slo/done"',
        ),
    ]
    document = entity(
        role(
            keys=[key(idp.pem)],
            formats=[EMAIL, "\n  urn:example:other\n"],
            logout=logout,
            attributes=' WantAuthnRequestsSigned="true"',
        ),
        attributes=' validUntil="2026-11-25T12:00:00Z" cacheDuration="PT6H"',
    )
    assert read(document) == IdentityProviderMetadata(
        entity_id=ENTITY_ID,
        redirect_sso_url=REDIRECT_SSO,
        post_sso_url=POST_SSO,
        redirect_slo_url="https://idp.example.com/slo",
        redirect_slo_response_url="https://idp.example.com/slo",
        post_slo_url="https://idp.example.com/slo/post",
        post_slo_response_url="https://idp.example.com/slo/done",
        certificates=(idp.certificate,),
        valid_until=NOW + 7 * DAY,
        cache_duration=6 * HOUR,
        want_authn_requests_signed=True,
        nameid_formats=(EMAIL, "urn:example:other"),
        signature="none",
    )


def test_metadata_with_the_least_is_read() -> None:
    document = entity(role(services=[service(POST, POST_SSO)], formats=[]))
    metadata = read(document)
    assert metadata == IdentityProviderMetadata(
        entity_id=ENTITY_ID,
        redirect_sso_url=None,
        post_sso_url=POST_SSO,
        redirect_slo_url=None,
        redirect_slo_response_url=None,
        post_slo_url=None,
        post_slo_response_url=None,
        certificates=(),
        valid_until=None,
        cache_duration=None,
        want_authn_requests_signed=False,
        nameid_formats=(),
        signature="none",
    )
    assert metadata.sso_url == POST_SSO


def test_redirect_is_preferred_whatever_the_order() -> None:
    services = [service(POST, POST_SSO), service(SOAP, "x"), service(REDIRECT, REDIRECT_SSO)]
    assert read(entity(role(services=services))).sso_url == REDIRECT_SSO


def test_the_first_endpoint_of_a_binding_counts() -> None:
    services = [service(REDIRECT, REDIRECT_SSO), service(REDIRECT, "https://other.example.com/")]
    assert read(entity(role(services=services))).redirect_sso_url == REDIRECT_SSO


@pytest.mark.parametrize("prolog", ["\ufeff", '\ufeff<?xml version="1.0" encoding="utf-8"?>\r\n'])
def test_a_byte_order_mark_is_fine_as_microsoft_entra_sends_it(prolog: str) -> None:
    assert read(prolog + good()).entity_id == ENTITY_ID


def test_metadata_of_ad_fs_is_read_though_each_claim_declares_its_prefixes() -> None:
    claim = '<a:ClaimType xmlns:a="http://docs.oasis-open.org/wsfed/authorization/200706"/>'
    attribute = '<Attribute xmlns="urn:oasis:names:tc:SAML:2.0:assertion" Name="urn:x"/>'
    sts = f'<md:RoleDescriptor protocolSupportEnumeration="urn:x">{claim * 120}</md:RoleDescriptor>'
    document = entity(sts, sts, role(services=[*[attribute] * 120, service(POST, POST_SSO)]))
    assert read(document).sso_url == POST_SSO


# Which entity ----------------------------------------------------------------------------------

FIRST = entity(role(), entity_id="https://first.example.com")
SECOND = entity(role(), entity_id="https://second.example.com")
SP_ONLY = entity(role(name="SPSSODescriptor"), entity_id="https://sp.example.com")


@pytest.mark.case("SP-66")
def test_an_aggregate_with_one_identity_provider_needs_no_choice() -> None:
    assert read(entities(SP_ONLY, entities(FIRST))).entity_id == "https://first.example.com"


@pytest.mark.case("SP-66")
def test_an_aggregate_with_two_identity_providers_needs_a_choice() -> None:
    error = refusal(entities(FIRST, SECOND))
    assert error.reason is Reason.METADATA
    assert error.expected == "exactly one SAML 2.0 identity provider"
    assert error.received == "2: https://first.example.com, https://second.example.com"


@pytest.mark.case("SP-66")
@pytest.mark.parametrize("chosen", ["https://first.example.com", "https://second.example.com"])
def test_the_chosen_entity_of_an_aggregate_is_read(chosen: str) -> None:
    assert read(entities(FIRST, entities(SECOND)), chosen).entity_id == chosen


@pytest.mark.case("SP-66")
@pytest.mark.parametrize("chosen", ["https://first.example.com/", "https://FIRST.example.com", ""])
def test_an_entity_is_chosen_by_its_exact_name(chosen: str) -> None:
    error = refusal(entities(FIRST, SECOND), chosen)
    assert (error.reason, error.received) == (Reason.METADATA, "none")
    assert error.expected == f"exactly one entity {chosen}"


@pytest.mark.case("SP-66")
def test_a_single_entity_of_another_name_than_the_chosen_is_refused() -> None:
    error = refusal(FIRST, "https://second.example.com")
    assert error.reason is Reason.METADATA
    assert error.expected == "exactly one entity https://second.example.com"


@pytest.mark.case("SP-66")
def test_two_entities_of_the_chosen_name_are_refused() -> None:
    error = refusal(entities(FIRST, FIRST), "https://first.example.com")
    assert error.reason is Reason.METADATA
    assert error.received == "2: https://first.example.com, https://first.example.com"


@pytest.mark.case("SP-66")
def test_an_entity_hidden_in_extensions_is_no_entity() -> None:
    hidden = f"<md:Extensions>{FIRST}</md:Extensions>"
    assert read(entities(hidden, SECOND)).entity_id == "https://second.example.com"


@pytest.mark.case("SP-71")
@pytest.mark.parametrize("name", ["SPSSODescriptor", "AttributeAuthorityDescriptor"])
def test_an_entity_of_another_role_is_refused(name: str) -> None:
    error = refusal(entity(role(name=name)))
    assert error.reason is Reason.METADATA
    assert (error.expected, error.received) == ("exactly one SAML 2.0 identity provider", "none")


@pytest.mark.case("SP-71")
def test_a_chosen_entity_of_another_role_is_refused() -> None:
    error = refusal(entities(FIRST, SP_ONLY), "https://sp.example.com")
    assert error.reason is Reason.METADATA
    assert (error.expected, error.received) == (
        "exactly one IDPSSODescriptor for SAML 2.0",
        "0",
    )


def test_a_role_of_saml_1_1_beside_the_one_of_2_0_is_ignored() -> None:
    old = role(protocols="urn:oasis:names:tc:SAML:1.1:protocol", services=[])
    both = role(protocols=f"urn:oasis:names:tc:SAML:1.1:protocol {SAML2}")
    assert read(entity(old, both)).sso_url == REDIRECT_SSO


def test_two_roles_of_saml_2_0_are_refused() -> None:
    error = refusal(entity(role(), role()))
    assert error.reason is Reason.METADATA
    assert (error.expected, error.received) == ("exactly one IDPSSODescriptor for SAML 2.0", "2")


@pytest.mark.parametrize(
    "root",
    [
        "<x/>",
        '<md:Other xmlns:md="urn:x"/>',
        role().replace(
            "<md:IDPSSODescriptor",
            '<md:IDPSSODescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"',
        ),
    ],
)
def test_another_document_is_refused(root: str) -> None:
    error = refusal(root)
    assert error.reason is Reason.METADATA
    assert error.received == "none"


def test_an_entity_may_have_a_name_of_1024_characters() -> None:
    assert read(entity(role(), entity_id="x" * 1024)).entity_id == "x" * 1024


@pytest.mark.parametrize("name", ["", " ", "x" * 1025, " https://idp.example.com"])
def test_an_entity_without_a_usable_name_is_refused(name: str) -> None:
    error = refusal(entity(role(), entity_id=name))
    assert error.reason is Reason.METADATA
    assert error.expected == "an entityID of 1 to 1024 characters"


# Endpoints -------------------------------------------------------------------------------------


@pytest.mark.case("SP-71")
@pytest.mark.parametrize("services", [[], [service(SOAP, "https://idp.example.com/soap")]])
def test_an_identity_provider_without_a_browser_binding_is_refused(services: list[str]) -> None:
    error = refusal(entity(role(services=services)))
    assert error.reason is Reason.METADATA
    assert error.expected == "a SingleSignOnService by HTTP-Redirect or HTTP-POST"


@pytest.mark.case("SP-58")
@pytest.mark.parametrize("url", ["javascript:alert(1)", "/sso", "https://idp.example.com/#a", ""])
@pytest.mark.parametrize("name", ["SingleSignOnService", "SingleLogoutService"])
def test_a_place_no_browser_may_be_sent_to_is_refused(url: str, name: str) -> None:
    services = [service(REDIRECT, url, name=name), service(POST, POST_SSO)]
    error = refusal(entity(role(services=services)))
    assert (error.reason, error.received) == (Reason.METADATA, url)
    assert error.expected == "an absolute http or https URL without fragment or credentials"


def test_an_endpoint_without_location_is_none() -> None:
    services = [f'<md:SingleSignOnService Binding="{REDIRECT}"/>', service(POST, POST_SSO)]
    assert read(entity(role(services=services))).redirect_sso_url is None


@pytest.mark.parametrize(("written", "meant"), [("1", True), ("0", False), ("false", False)])
def test_want_authn_requests_signed_is_an_xml_boolean(*, written: str, meant: bool) -> None:
    document = entity(role(attributes=f' WantAuthnRequestsSigned="{written}"'))
    assert read(document).want_authn_requests_signed is meant


def test_want_authn_requests_signed_of_another_value_is_refused() -> None:
    error = refusal(entity(role(attributes=' WantAuthnRequestsSigned="TRUE"')))
    assert (error.reason, error.received) == (Reason.METADATA, "TRUE")


# Keys ------------------------------------------------------------------------------------------


@pytest.mark.case("SP-69")
@pytest.mark.parametrize("use", [None, "signing"])
def test_a_key_without_use_counts_as_signing(use: str | None) -> None:
    idp = signer("idp")
    assert read(entity(role(keys=[key(idp.pem, use)]))).certificates == (idp.certificate,)


@pytest.mark.case("SP-70")
@pytest.mark.parametrize("use", ["encryption", "", "Signing"])
def test_a_key_of_another_use_is_no_signing_key(use: str) -> None:
    assert read(entity(role(keys=[key(signer("idp").pem, use)]))).certificates == ()


@pytest.mark.case("XS-05b")
def test_a_key_value_is_no_signing_key() -> None:
    value = (
        "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus></ds:RSAKeyValue></ds:KeyValue>"
    )
    keys = [f'<md:KeyDescriptor use="signing"><ds:KeyInfo>{value}</ds:KeyInfo></md:KeyDescriptor>']
    assert read(entity(role(keys=keys))).certificates == ()


def test_keys_of_another_role_are_not_read() -> None:
    other = role(name="SPSSODescriptor", keys=[key(signer("attacker").pem)])
    idp = signer("idp")
    assert read(entity(other, role(keys=[key(idp.pem)]))).certificates == (idp.certificate,)


@pytest.mark.case("SP-70")
def test_several_keys_are_all_read_and_the_same_one_once() -> None:
    old, new = signer("idp"), signer("idp2")
    keys = [key(old.pem), key(new.pem, None), key(old.pem, None), key(old.pem, "encryption")]
    assert read(entity(role(keys=keys))).certificates == (old.certificate, new.certificate)


@pytest.mark.case("SP-70")
def test_ten_certificates_are_read_and_eleven_refused() -> None:
    idp = signer("idp")
    pems = [
        certificate(f"idp {number}", not_before=NOT_BEFORE, not_after=NOT_AFTER, key=idp.key)
        for number in range(11)
    ]
    assert len(read(entity(role(keys=[key(pem) for pem in pems[:10]]))).certificates) == 10
    error = refusal(entity(role(keys=[key(pem) for pem in pems])))
    assert error.reason is Reason.METADATA
    assert (error.expected, error.received) == ("at most 10 signing certificates", "11")


@pytest.mark.case("SP-70")
def test_a_weak_key_is_refused() -> None:
    pem = weak_certificate()
    error = refusal(entity(role(keys=[key(pem)])))
    assert (error.reason, error.received) == (Reason.KEY_WEAK, "RSA 1024")


@pytest.mark.case("SP-70")
def test_a_weak_key_for_encryption_only_does_no_harm() -> None:
    pem = weak_certificate()
    assert read(entity(role(keys=[key(pem, "encryption")]))).certificates == ()


def test_text_that_is_no_certificate_is_refused() -> None:
    body = certificate_body(signer("idp").pem)
    other = b64encode(b"\x30\x03\x02\x01\x01").decode()
    for wrong in ("", "not base64!", other):
        error = refusal(good().replace(body, wrong))
        assert error.reason is Reason.CERTIFICATE


@pytest.mark.case("XS-62")
def test_a_certificate_may_be_wrapped_or_carry_its_pem_lines() -> None:
    idp = signer("idp")
    body = certificate_body(idp.pem)
    wrapped = "\n      ".join([body[:64], body[64:]])
    for written in (f"\n  {wrapped}\n", idp.pem, idp.pem.replace("\n", "\r\n")):
        assert read(good().replace(body, written)).certificates == (idp.certificate,)


def test_what_extensions_of_the_role_hold_is_not_read() -> None:
    hidden = [
        key(signer("attacker").pem),
        "<md:NameIDFormat>urn:evil</md:NameIDFormat>",
        service(REDIRECT, "https://evil.test/"),
        service(POST, "https://evil.test/", name="SingleLogoutService"),
    ]
    extensions = f"<md:Extensions>{''.join(hidden)}</md:Extensions>"
    plain = role(keys=[key(signer("idp").pem)], services=[service(POST, POST_SSO)])
    assert extensions not in plain
    document = plain.replace("><md:KeyDescriptor", f">{extensions}<md:KeyDescriptor", 1)
    assert document.count("evil") == 3
    assert read(entity(document)) == read(entity(plain))


# Validity --------------------------------------------------------------------------------------


@pytest.mark.case("SP-67")
@pytest.mark.parametrize("until", ["2026-11-18T12:00:00Z", "2020-01-01T00:00:00Z"])
@pytest.mark.parametrize("place", ["aggregate", "entity", "role"])
def test_metadata_past_its_valid_until_is_refused_wherever_it_stands(
    until: str, place: str
) -> None:
    marks = {place: f' validUntil="{until}"'}
    document = entities(
        entity(role(attributes=marks.get("role", "")), attributes=marks.get("entity", "")),
        attributes=marks.get("aggregate", ""),
    )
    error = refusal(document)
    assert error.reason is Reason.METADATA
    assert (error.expected, error.received) == ("a validUntil in the future", until)


@pytest.mark.case("SP-67")
def test_the_earliest_valid_until_and_the_shortest_cache_duration_count() -> None:
    document = entities(
        entity(
            role(attributes=' validUntil="2026-11-20T12:00:00Z" cacheDuration="P2D"'),
            attributes=' validUntil="2026-11-19T12:00:00Z" cacheDuration="P1D"',
        ),
        attributes=' validUntil="2027-11-18T12:00:00Z" cacheDuration="P7D"',
    )
    metadata = read(document)
    assert (metadata.valid_until, metadata.cache_duration) == (NOW + DAY, DAY)


def test_valid_until_of_another_entity_does_not_count() -> None:
    old = entity(role(name="SPSSODescriptor"), attributes=' validUntil="2020-01-01T00:00:00Z"')
    assert read(entities(old, FIRST)).valid_until is None


@pytest.mark.case("SP-67")
def test_valid_until_that_is_no_time_is_refused() -> None:
    error = refusal(entity(role(), attributes=' validUntil="tomorrow"'))
    assert (error.reason, error.received) == (Reason.SAML_TIME, "tomorrow")


@pytest.mark.parametrize(
    ("written", "length"),
    [
        ("PT1H", HOUR),
        ("P7D", 7 * DAY),
        ("PT604800.000S", 7 * DAY),
        ("P0Y0M0DT6H0M0.000S", 6 * HOUR),
        ("P1Y", 365 * DAY),
        ("P1M", 28 * DAY),
        ("P1DT1M", DAY + HOUR // 60),
        ("P3650D", 3650 * DAY),
    ],
)
def test_cache_duration_is_an_xml_duration(written: str, length: int) -> None:
    document = entity(role(), attributes=f' cacheDuration="{written}"')
    assert read(document).cache_duration == length


@pytest.mark.case("SP-67")
@pytest.mark.parametrize(
    "written",
    [
        "P0D",
        "PT0S",
        "P100Y",
        "-P1D",
        "P",
        "PT",
        "P1DT",
        "1D",
        "P1H",
        "PT1D",
        "P1.5D",
        "P-1D",
        "",
        "P\u0661D",
        "P99999999D",
        "P3650DT1S",
        "p1d",
    ],
)
def test_cache_duration_out_of_bounds_is_refused(written: str) -> None:
    error = refusal(entity(role(), attributes=f' cacheDuration="{written}"'))
    assert (error.reason, error.received) == (Reason.METADATA, written)


# Writing ---------------------------------------------------------------------------------------


def attributes(element: _Element) -> dict[str, str]:
    return {str(name): str(value) for name, value in element.attrib.items()}


def test_service_provider_metadata_offers_one_place_and_its_keys() -> None:
    old, new, encryption = signer("sp"), signer("sp2"), signer("sp encryption")
    root = parse(
        service_provider_metadata(
            entity_id=ACS,
            acs_url=ACS,
            nameid_format=EMAIL,
            signing_certificates=[old.pem, new.pem],
            encryption_certificates=[encryption.pem],
        )
    )
    assert (root.tag, attributes(root)) == (f"{{{MD}}}EntityDescriptor", {"entityID": ACS})
    (sp,) = root
    assert (sp.tag, attributes(sp)) == (
        f"{{{MD}}}SPSSODescriptor",
        {
            "protocolSupportEnumeration": SAML2,
            "AuthnRequestsSigned": "true",
            "WantAssertionsSigned": "true",
        },
    )
    assert [etree.QName(child).localname for child in sp] == [
        "KeyDescriptor",
        "KeyDescriptor",
        "KeyDescriptor",
        "NameIDFormat",
        "AssertionConsumerService",
    ]
    assert [
        (descriptor.get("use"), descriptor.findtext(f".//{{{DS}}}X509Certificate"))
        for descriptor in list(sp)[:3]
    ] == [
        ("signing", certificate_body(old.pem)),
        ("signing", certificate_body(new.pem)),
        ("encryption", certificate_body(encryption.pem)),
    ]
    assert sp[3].text == EMAIL
    assert attributes(sp[4]) == {
        "Binding": POST,
        "Location": ACS,
        "index": "0",
        "isDefault": "true",
    }


@pytest.mark.case("XE-04")
def test_service_provider_metadata_lists_aes_gcm_first_and_oaep_and_nothing_weaker() -> None:
    sp = signer("sp")
    root = parse(
        service_provider_metadata(
            entity_id=ACS,
            acs_url=ACS,
            nameid_format=EMAIL,
            signing_certificates=[sp.pem],
            encryption_certificates=[sp.pem],
        )
    )
    methods = root.iter(f"{{{MD}}}EncryptionMethod")
    assert [method.get("Algorithm") for method in methods] == [
        "http://www.w3.org/2009/xmlenc11#aes256-gcm",
        "http://www.w3.org/2009/xmlenc11#aes128-gcm",
        "http://www.w3.org/2009/xmlenc11#rsa-oaep",
        "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
    ]


def test_service_provider_metadata_lists_aes_cbc_last_where_it_is_tolerated() -> None:
    sp = signer("sp")
    root = parse(
        service_provider_metadata(
            entity_id=ACS,
            acs_url=ACS,
            nameid_format=EMAIL,
            signing_certificates=[sp.pem],
            encryption_certificates=[sp.pem],
            allow_cbc=True,
        )
    )
    methods = [each.get("Algorithm") for each in root.iter(f"{{{MD}}}EncryptionMethod")]
    assert methods[0] == "http://www.w3.org/2009/xmlenc11#aes256-gcm"
    assert methods[4:] == [
        "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
        "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
    ]


def test_service_provider_metadata_offers_logout_by_both_bindings_where_there_is_one() -> None:
    root = parse(
        service_provider_metadata(
            entity_id=ACS,
            acs_url=ACS,
            nameid_format=EMAIL,
            signing_certificates=[],
            logout_url="https://sso.example.com/slo",
        )
    )
    services = root.iter(f"{{{MD}}}SingleLogoutService")
    assert [(s.get("Binding"), s.get("Location")) for s in services] == [
        (REDIRECT, "https://sso.example.com/slo"),
        (POST, "https://sso.example.com/slo"),
    ]


def test_service_provider_metadata_escapes_every_value() -> None:
    hostile = """"><x y='1'/>&amp;\U0001f511"""
    data = service_provider_metadata(
        entity_id=hostile, acs_url=hostile, nameid_format=hostile, signing_certificates=[]
    )
    assert data.startswith(b"<?xml version='1.0' encoding='UTF-8'?>")
    root = parse(data)
    assert root.get("entityID") == hostile
    assert root.findtext(f".//{{{MD}}}NameIDFormat") == hostile
    assert root[0][-1].get("Location") == hostile
