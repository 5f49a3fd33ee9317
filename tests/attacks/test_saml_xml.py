"""Hostile bytes and hostile XML at the assertion consumer service (security cases XP)."""

import zlib
from base64 import b64encode
from collections.abc import Callable
from functools import partial

import pytest
from lxml import etree
from lxml.etree import _Element

from tests.support.canary import listening
from tests.support.saml_documents import (
    ACS,
    ATTRIBUTES,
    AUD,
    FORGED,
    ISS,
    VICTIM,
    accepted,
    changed,
    document,
    find,
    form_field,
    fragment,
    octets,
    refused,
    response_element,
)
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.response import read_form_field
from vestibule.saml.xml import MAX_BYTES, MAX_DEPTH, SAMLP

EVIL_TEST = "user@example.com.evil.test"


def good() -> bytes:
    return octets(document())


def with_doctype(doctype: str) -> bytes:
    return doctype.encode() + good()


def test_the_document_that_the_cases_break_is_accepted() -> None:
    assert accepted(good()).name_id == VICTIM


@pytest.mark.case("XP-01")
def test_xp_01_doctype_without_entities() -> None:
    refused(with_doctype("<!DOCTYPE r>"), Reason.XML_DOCTYPE)


@pytest.mark.case("XP-02")
def test_xp_02_entity_declared_but_not_used() -> None:
    refused(with_doctype('<!DOCTYPE r [<!ENTITY e "x">]>'), Reason.XML_DOCTYPE)


@pytest.mark.case("XP-03")
def test_xp_03_entity_used_in_name_id() -> None:
    data = changed(
        with_doctype('<!DOCTYPE r [<!ENTITY e "">]>'),
        f">{VICTIM}</saml:N",
        ">us&e;er@example.com</saml:N",
    )
    refused(data, Reason.XML_DOCTYPE)


@pytest.mark.case("XP-03")
def test_xp_03_entity_that_nothing_declares() -> None:
    refused(changed(good(), f">{VICTIM}</saml:N", ">us&e;er@example.com</saml:N"), Reason.XML)


@pytest.mark.case("XP-04")
def test_xp_04_external_entity_of_a_file() -> None:
    data = with_doctype('<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]>')
    error = refused(
        changed(data, 'SessionIndex="_session-1"', 'SessionIndex="&e;"'), Reason.XML_DOCTYPE
    )
    assert "root" not in str(error)


@pytest.mark.case("XP-05", "XP-06")
@pytest.mark.parametrize(
    "doctype",
    ['<!DOCTYPE r SYSTEM "{}/x.dtd">', '<!DOCTYPE r [<!ENTITY % p SYSTEM "{}/p">%p;]>'],
)
def test_xp_05_06_external_dtd_and_parameter_entity_call_nobody(doctype: str) -> None:
    with listening() as canary:
        refused(with_doctype(doctype.format(canary.url)), Reason.XML_DOCTYPE)
        assert canary.hits == 0


@pytest.mark.case("XP-07")
def test_xp_07_billion_laughs() -> None:
    entities = '<!ENTITY l0 "ha">' + "".join(
        f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 10)
    )
    data = changed(
        with_doctype(f"<!DOCTYPE r [{entities}]>"), f">{VICTIM}</saml:N", ">&l9;</saml:N"
    )
    refused(data, Reason.XML_DOCTYPE)


@pytest.mark.case("XP-08")
def test_xp_08_quadratic_blowup() -> None:
    data = with_doctype(f'<!DOCTYPE r [<!ENTITY e "{"a" * 100_000}">]>')
    refused(changed(data, f">{VICTIM}</saml:N", f">{'&e;' * 1_000}</saml:N"), Reason.XML_DOCTYPE)


@pytest.mark.case("XP-09", "XP-10")
@pytest.mark.parametrize(
    "declaration",
    [
        '<!ATTLIST saml:Assertion ID CDATA "_assertion-1">',
        "<!ATTLIST saml:NameID x ID #IMPLIED>",
    ],
)
def test_xp_09_10_attribute_declarations(declaration: str) -> None:
    refused(with_doctype(f"<!DOCTYPE samlp:Response [{declaration}]>"), Reason.XML_DOCTYPE)


@pytest.mark.case("XP-11")
def test_xp_11_two_parsers_would_see_two_documents() -> None:
    data = b"<!DOCTYPE response SYSTEM 'x\"><!--'>" + changed(
        good(),
        "<samlp:Status>",
        f"<![CDATA[--><saml:NameID>{FORGED}</saml:NameID><!--]]>--><samlp:Status>",
    )
    refused(data, Reason.XML_DOCTYPE)


@pytest.mark.case("XP-12")
def test_xp_12_namespace_that_two_parsers_read_differently() -> None:
    root = document(sign="response")
    signature = octets(find(root, "ds:Signature")).decode()
    detail = f'<samlp:StatusDetail><x xmlns="http://example.com\x80">{signature}</x></samlp:StatusDetail>'
    find(root, "samlp:Response").remove(find(root, "ds:Signature"))
    # libxml2 refuses the URI, before the misplaced Signature would be.
    refused(changed(octets(root), "</samlp:Status>", f"{detail}</samlp:Status>"), Reason.XML)


@pytest.mark.case("XP-12")
def test_xp_12_signature_in_the_status_detail() -> None:
    root = document(sign="response")
    signature = octets(find(root, "ds:Signature")).decode()
    detail = f"<samlp:StatusDetail>{signature}</samlp:StatusDetail>"
    find(root, "samlp:Response").remove(find(root, "ds:Signature"))
    refused(changed(octets(root), "</samlp:Status>", f"{detail}</samlp:Status>"), Reason.SIG_PLACE)


@pytest.mark.case("XP-13")
@pytest.mark.parametrize("uri", ["1", "relative/path", "#x", ""])
def test_xp_13_relative_namespace_before_canonicalization(uri: str) -> None:
    prefix = ":ns" if uri else ""
    data = changed(good(), "<saml:Assertion ", f'<x xmlns{prefix}="{uri}"/><saml:Assertion ')
    refused(data, Reason.XML_NS)


@pytest.mark.case("XP-14")
def test_xp_14_polluted_attributes_are_not_read() -> None:
    data = changed(
        good(),
        'Destination="',
        'xmlns:x="urn:x" x:Version="1.0" samlp:Destination="urn:evil" x:ID="_x" Destination="',
    )
    assert accepted(data).response_id == "_response-1"


@pytest.mark.case("XP-14")
def test_xp_14_id_of_another_namespace_equal_to_the_signed_one() -> None:
    data = changed(good(), 'Destination="', 'xmlns:x="urn:x" x:ID="_assertion-1" Destination="')
    refused(data, Reason.XML_ID)


@pytest.mark.case("XP-15")
def test_xp_15_signature_in_a_look_alike_namespace() -> None:
    data = good().replace(
        b"http://www.w3.org/2000/09/xmldsig#", b"http://www.w3.org/2000/09/xmldsig"
    )
    refused(data, Reason.SIG_MISSING)


@pytest.mark.case("XP-15")
def test_xp_15_prefix_bound_anew_in_the_signature() -> None:
    data = changed(good(), "<ds:SignedInfo>", '<ds:SignedInfo xmlns:ds="urn:evil">')
    refused(data, Reason.SIG_CHILDREN)


@pytest.mark.case("XP-16")
@pytest.mark.parametrize(
    "comment", ["<!--x-->", "<!---->", "<!-- <saml:NameID> -->", "<!--a--><!--b-->"]
)
def test_xp_16_comment_in_name_id_never_cuts_it(comment: str) -> None:
    data = octets(document(root=response_element(subject=EVIL_TEST)))
    commented = changed(data, f">{EVIL_TEST}<", f">{VICTIM}{comment}.evil.test<")
    assert accepted(commented).name_id == EVIL_TEST


@pytest.mark.case("XP-17")
def test_xp_17_comment_in_an_attribute_value() -> None:
    attributes = {"email": [EVIL_TEST], "groups": ["admins-not"]}
    data = octets(document(root=response_element(attributes=attributes)))
    data = changed(data, f">{EVIL_TEST}<", f">{VICTIM}<!---->.evil.test<")
    data = changed(data, ">admins-not<", ">admins<!--x-->-not<")
    assert accepted(data).attributes == {"email": (EVIL_TEST,), "groups": ("admins-not",)}


@pytest.mark.case("XP-17")
def test_xp_17_comment_in_issuer_and_audience() -> None:
    data = good().replace(f">{ISS}<".encode(), f">{ISS[:9]}<!--x-->{ISS[9:]}<".encode())
    data = changed(data, f"<saml:Audience>{AUD}<", f"<saml:Audience><!--x-->{AUD}<!--y--><")
    assert accepted(data).issuer == ISS
    cut_issuer = octets(document(root=response_element(issuer=f"{ISS}.evil.test")))
    commented = cut_issuer.replace(b".evil.test", b"<!--x-->.evil.test")
    assert refused(commented, Reason.SAML_ISSUER).received == f"{ISS}.evil.test"


@pytest.mark.case("XP-18")
def test_xp_18_cdata_in_name_id() -> None:
    data = changed(
        good(), f">{VICTIM}</saml:N", ">user<![CDATA[@example]]><![CDATA[.com]]></saml:N"
    )
    assert accepted(data).name_id == VICTIM


@pytest.mark.case("XP-19")
def test_xp_19_processing_instruction_in_name_id() -> None:
    data = changed(good(), f">{VICTIM}</saml:N", f"><?p not-an-?>{VICTIM}</saml:N")
    refused(data, Reason.XML_PI)


@pytest.mark.case("XP-20")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('<?xml-stylesheet href="x.xsl"?>', ""),
        ('<?xml version="1.0"?><?xml-stylesheet href="x.xsl"?>', ""),
        ("", "<?after?>"),
    ],
)
def test_xp_20_processing_instruction_around_the_root(before: str, after: str) -> None:
    refused(before.encode() + good() + after.encode(), Reason.XML_PI)


@pytest.mark.case("XP-21")
def test_xp_21_element_in_a_signed_name_id() -> None:
    def split(root: _Element) -> None:
        name_id = find(root, "saml:NameID")
        etree.SubElement(name_id, "x").tail = ".evil.test"

    refused(document(before=split), Reason.XML_MIXED)


@pytest.mark.case("XP-22")
@pytest.mark.parametrize("depth", [MAX_DEPTH, 256, 3_000])
def test_xp_22_deep_nesting(depth: int) -> None:
    nested = f"<samlp:Extensions>{'<x>' * depth}{'</x>' * depth}</samlp:Extensions>"
    refused(changed(good(), "<samlp:Status>", f"{nested}<samlp:Status>"), Reason.XML_DEPTH)


@pytest.mark.case("XP-23")
def test_xp_23_document_above_the_size_limit() -> None:
    padding = MAX_BYTES - len(good())
    largest = changed(good(), "<samlp:Status>", f"{' ' * padding}<samlp:Status>")
    assert len(read_form_field(b64encode(largest).decode())) == MAX_BYTES
    assert accepted(largest).name_id == VICTIM
    too_large = changed(good(), "<samlp:Status>", f"{' ' * (padding + 1)}<samlp:Status>")
    refused(too_large, Reason.XML_SIZE)
    with pytest.raises(SamlError) as caught:
        read_form_field(b64encode(too_large).decode())
    assert caught.value.reason is Reason.XML_SIZE


@pytest.mark.case("XP-24")
def test_xp_24_size_is_looked_at_before_base64() -> None:
    with pytest.raises(SamlError) as caught:
        read_form_field("!" * (2 * MAX_BYTES + 1))
    assert caught.value.reason is Reason.XML_SIZE


@pytest.mark.case("XP-25")
@pytest.mark.parametrize(
    ("count", "limit"),
    [
        (64, "64 attributes on an element"),
        (900, "64 attributes on an element"),
        (20_000, "6000 attributes"),
    ],
)
def test_xp_25_many_attributes_on_one_element(count: int, limit: str) -> None:
    attributes = " ".join(f"a{number}='1'" for number in range(count))
    data = changed(good(), "<samlp:Status>", f"<x y='1' {attributes}/><samlp:Status>")
    assert refused(data, Reason.XML_ATTRS).expected == f"at most {limit}"


@pytest.mark.case("XP-25b")
@pytest.mark.parametrize(("count", "nodes"), [(6_000, 4_000), (2_000, 4_900), (201, 4_000)])
def test_xp_25b_many_namespace_declarations(count: int, nodes: int) -> None:
    declarations = " ".join(f"xmlns:n{number}='u:{number}'" for number in range(count))
    bomb = f"<samlp:Response xmlns:samlp='{SAMLP}' {declarations}>{'<x/>' * nodes}</samlp:Response>"
    refused(bomb.encode(), Reason.XML_NS)


def in_groups(root: _Element, *, groups: int) -> None:
    """Put a person into groups as Okta writes them: each value declares its own namespaces."""
    typed = (
        'xmlns:xs="http://www.w3.org/2001/XMLSchema" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string"'
    )
    values = "".join(
        f"<saml:AttributeValue {typed}>g{number}</saml:AttributeValue>" for number in range(groups)
    )
    statement = find(root, "saml:AttributeStatement")
    statement.append(fragment(f'<saml:Attribute Name="teams">{values}</saml:Attribute>'))


@pytest.mark.case("XP-25b")
@pytest.mark.parametrize("groups", [100, 1_000])
def test_xp_25b_person_in_many_groups_of_okta_is_let_in(groups: int) -> None:
    verified = accepted(document(before=partial(in_groups, groups=groups)))
    assert verified.attributes["teams"] == tuple(f"g{number}" for number in range(groups))


@pytest.mark.case("XP-25b")
def test_xp_25b_declarations_that_pile_up_over_elements() -> None:
    # Each element may have so many for itself, but all of these hold for what is inside.
    around = " ".join(f"xmlns:n{number}='u:{number}'" for number in range(16))
    bomb = f"<x {around}>" * 13 + "<x/>" * 4_000 + "</x>" * 13
    data = changed(good(), "<samlp:Status>", f"{bomb}<samlp:Status>")
    refused(data, Reason.XML_NS)


@pytest.mark.case("XP-25c")
def test_xp_25c_namespaces_named_like_attributes() -> None:
    data = changed(
        good(), '<saml:Attribute Name="email"', '<saml:Attribute xmlns:Name="urn:evil" Name="email"'
    )
    data = changed(data, "<saml:Conditions ", '<saml:Conditions xmlns:NotOnOrAfter="urn:2099" ')
    data = changed(data, "<saml:Assertion ", '<saml:Assertion xmlns:ID="urn:evil" ')
    data = changed(data, "<samlp:StatusCode ", '<samlp:StatusCode xmlns:Value="urn:evil" ')
    result = accepted(data)
    assert result.assertion_id == "_assertion-1"
    assert result.attributes["email"] == (VICTIM,)


@pytest.mark.case("XP-26")
def test_xp_26_two_hundred_thousand_elements() -> None:
    refused(b"<a>" + b"<b/>" * 200_000 + b"</a>", Reason.XML_SIZE)


@pytest.mark.case("XP-27")
@pytest.mark.parametrize("count", [5_000, 12_001])
def test_xp_27_too_many_elements_within_the_size(count: int) -> None:
    refused(changed(good(), "<samlp:Status>", f"{'<x/>' * count}<samlp:Status>"), Reason.XML_NODES)


@pytest.mark.case("XP-28")
@pytest.mark.parametrize(
    "encoding", ["utf-7", "utf-16", "utf-16-be", "utf-32", "shift_jis", "cp1252", "iso-8859-1"]
)
def test_xp_28_other_encodings(encoding: str) -> None:
    declared = f'<?xml version="1.0" encoding="{encoding}"?>'
    data = (declared + good().decode()).encode(encoding)
    error = refused(data, Reason.XML if encoding == "utf-16-be" else Reason.XML_ENCODING)
    assert error.steps[0].passed is False


@pytest.mark.case("XP-29")
@pytest.mark.parametrize("encoding", ["UTF-16", "ISO-8859-1", ""])
def test_xp_29_declared_encoding_that_is_not_used(encoding: str) -> None:
    root = response_element(subject="m\xfcller@example.com")
    declared = f"<?xml version='1.0' encoding='{encoding}'?>".encode()
    refused(declared + octets(document(root=root)), Reason.XML_ENCODING)


def test_declared_utf_8_and_a_byte_order_mark_are_accepted() -> None:
    data = b"\xef\xbb\xbf<?xml version='1.0' encoding='utf-8'?>" + good()
    assert accepted(data).name_id == VICTIM


@pytest.mark.case("XP-30")
@pytest.mark.parametrize("sequence", [b"\xc0\xbc", b"\xed\xa0\x80", b"\xff", b"\xf4\x90\x80\x80"])
def test_xp_30_overlong_forms_and_surrogates(sequence: bytes) -> None:
    refused(good().replace(b"Ada", sequence), Reason.XML_ENCODING)


@pytest.mark.case("XP-31")
@pytest.mark.parametrize("character", ["\0", "\x01", "&#0;", "&#x1;", "\ufffe"])
def test_xp_31_characters_that_xml_cannot_hold(character: str) -> None:
    data = changed(good(), f">{VICTIM}</saml:N", f">{VICTIM}{character}</saml:N")
    refused(data, Reason.XML)


@pytest.mark.case("XP-31b")
@pytest.mark.parametrize(
    "element",
    [
        '<x ::foo="bar"/>',
        '<x :foo="bar"/>',
        "<:foo/>",
        "<a:b:c/>",
        "<unbound:x/>",
        '<x unbound:a="1"/>',
        '<x xmlns:xml="urn:evil"/>',
        '<x xmlns:a=""/>',
        '<x xmlns:p="u:1" xmlns:q="u:1" p:a="1" q:a="2"/>',
        '<x a="1" a="2"/>',
        '<x a="<"/>',
        "<x",
    ],
)
def test_xp_31b_malformed_names(element: str) -> None:
    refused(changed(good(), "<samlp:Status>", f"{element}<samlp:Status>"), Reason.XML)


@pytest.mark.case("XP-32")
@pytest.mark.parametrize("tail", [b"<x/>", b"garbage", b"]]>"])
def test_xp_32_content_after_the_root(tail: bytes) -> None:
    refused(good() + tail, Reason.XML)


@pytest.mark.case("XP-32")
def test_xp_32_two_documents() -> None:
    refused(good() + good(), Reason.XML)
    refused(b"", Reason.XML)


@pytest.mark.case("XP-33")
@pytest.mark.parametrize(
    "wrap",
    [
        lambda data: octets(find(etree.fromstring(data), "saml:Assertion")),
        lambda data: (
            b'<s:ArtifactResponse xmlns:s="'
            + SAMLP.encode()
            + b'">'
            + data
            + b"</s:ArtifactResponse>"
        ),
        lambda data: f'<s:Envelope xmlns:s="urn:soap">{data.decode()}</s:Envelope>'.encode(),
        lambda data: data.replace(b"samlp:Response", b"samlp:LogoutResponse"),
        lambda data: data.replace(SAMLP.encode(), b"urn:other"),
    ],
    ids=["assertion", "artifact", "soap", "logout", "namespace"],
)
def test_xp_33_other_roots(wrap: Callable[[bytes], bytes]) -> None:
    refused(wrap(good()), Reason.SAML_ROOT)


@pytest.mark.case("XP-34")
def test_xp_34_response_of_saml_1_1() -> None:
    data = good().replace(SAMLP.encode(), b"urn:oasis:names:tc:SAML:1.1:protocol")
    refused(data, Reason.SAML_VERSION)


@pytest.mark.case("XP-34")
@pytest.mark.parametrize("element", ["samlp:Response", "saml:Assertion"])
@pytest.mark.parametrize("version", ["1.1", "2.1", "2", " 2.0", None])
def test_xp_34_other_versions(element: str, version: str | None) -> None:
    def other_version(root: _Element) -> None:
        found = find(root, element)
        found.attrib.pop("Version")
        if version is not None:
            found.set("Version", version)

    refused(document(sign="both", before=other_version), Reason.SAML_VERSION)


@pytest.mark.case("XP-35")
@pytest.mark.parametrize("place", ["before", "after", "nested"])
def test_xp_35_second_assertion_with_the_same_id(place: str) -> None:
    root = document()
    signed = find(root, "saml:Assertion")
    evil = find(response_element(subject=FORGED), "saml:Assertion")
    if place == "nested":
        signed.append(evil)
    else:
        root.insert(root.index(signed) + (place == "after"), evil)
    refused(root, Reason.XML_ID)


@pytest.mark.case("XP-36")
@pytest.mark.parametrize(
    "name",
    [
        "Id",
        "id",
        "iD",
        "{http://www.w3.org/XML/1998/namespace}id",
        "{urn:x}ID",
        "AssertionID",
        "{urn:x}assertionid",
    ],
)
def test_xp_36_other_id_attributes_on_a_decoy(name: str) -> None:
    root = document()
    decoy = etree.SubElement(root, "{urn:decoy}Assertion")
    decoy.set(name, "_assertion-1")
    refused(root, Reason.XML_ID)


@pytest.mark.case("XP-37")
@pytest.mark.parametrize(
    "identifier", ["#a b", "a'] or //*[", "1a", "a:b", "\xe4", "_a\n", "a" * 257, "a" * 10_000]
)
def test_xp_37_id_that_is_no_name(identifier: str) -> None:
    root = response_element()
    find(root, "saml:Assertion").set("ID", identifier)
    refused(root, Reason.XML_ID)


@pytest.mark.case("XP-38")
@pytest.mark.parametrize("element", ["samlp:Response", "saml:Assertion"])
@pytest.mark.parametrize("value", [None, ""])
def test_xp_38_no_id(element: str, value: str | None) -> None:
    root = document(sign="both")
    found = find(root, element)
    found.attrib.pop("ID")
    if value is not None:
        found.set("ID", value)
    refused(root, Reason.SAML_ID)


@pytest.mark.case("XP-38")
def test_xp_38_no_id_and_a_reference_to_none() -> None:
    root = document(sign="both")
    root.attrib.pop("ID")
    find(root, "ds:Reference").set("URI", "#None")
    refused(root, Reason.SAML_ID)


@pytest.mark.case("XP-39")
@pytest.mark.parametrize(
    "value",
    [
        "abc-",
        "ab_c",
        "abc",
        "YQ==YQ==",
        "YQ=",
        "Y",
        "YW Jj!",
        "\xe4bcd",
        "YWJj\x00",
        "YWJj\u00a0",
        "\ud800",
    ],
)
def test_xp_39_not_base64(value: str) -> None:
    with pytest.raises(SamlError) as caught:
        read_form_field(value)
    assert caught.value.reason is Reason.XML_BASE64


@pytest.mark.case("XP-39")
def test_xp_39_line_breaks_and_spaces_in_base64() -> None:
    field = form_field(document())
    wrapped = "\r\n".join(field[at : at + 64] for at in range(0, len(field), 64))
    assert read_form_field(f" {wrapped}\t\n") == read_form_field(field) == good()


@pytest.mark.case("XP-40")
def test_xp_40_plain_xml_in_the_field() -> None:
    with pytest.raises(SamlError) as caught:
        read_form_field(good().decode())
    assert caught.value.reason is Reason.XML_BASE64


@pytest.mark.case("XP-40")
def test_xp_40_deflated_xml_is_not_inflated() -> None:
    compressor = zlib.compressobj(wbits=-15)
    deflated = compressor.compress(good()) + compressor.flush()
    refused(read_form_field(b64encode(deflated).decode()), Reason.XML_ENCODING)


@pytest.mark.case("XP-45")
@pytest.mark.parametrize("wrong", [f"{ACS}\t", f"\n{ACS}", f" {ACS}", f"{ACS} ", f"{ACS}&#10;"])
def test_xp_45_white_space_in_destination_and_recipient(wrong: str) -> None:
    destination = changed(good(), f'Destination="{ACS}"', f'Destination="{wrong}"')
    refused(destination, Reason.SAML_DESTINATION)

    def recipient(root: _Element) -> None:
        find(root, "saml:SubjectConfirmationData").set("Recipient", wrong.replace("&#10;", "\n"))

    refused(document(before=recipient), Reason.SAML_RECIPIENT)


@pytest.mark.case("XP-45")
@pytest.mark.parametrize("wrong", [f"{AUD}\n", f" {AUD}", f"{AUD}\t"])
def test_xp_45_white_space_in_audience(wrong: str) -> None:
    refused(document(root=response_element(audience=wrong)), Reason.SAML_AUDIENCE)


@pytest.mark.case("XP-46")
def test_xp_46_long_names_and_values_of_any_characters_are_returned_whole() -> None:
    unusual = "\U0001f600 ]]> <>&\"' \t\n\x85\u2028 ü " + "x" * 256
    name = "n" * 256
    attributes = {name: [unusual], "empty": [""]}
    result = accepted(document(root=response_element(subject=unusual, attributes=attributes)))
    assert result.name_id == unusual
    assert result.attributes == {name: (unusual,), "empty": ("",)}


@pytest.mark.case("XP-47")
def test_xp_47_references_to_other_documents_call_nobody() -> None:
    with listening() as canary:
        foreign = (
            '<samlp:Extensions xmlns:xi="http://www.w3.org/2001/XInclude"'
            ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
            f' xsi:schemaLocation="urn:x {canary.url}/x.xsd">'
            f'<xi:include href="{canary.url}/y"/></samlp:Extensions>'
        )
        data = changed(good(), "<samlp:Status>", f"{foreign}<samlp:Status>")
        assert accepted(data).attributes == {name: tuple(v) for name, v in ATTRIBUTES.items()}
        refused(b'<?xml-stylesheet href="x.xsl"?>' + data, Reason.XML_PI)
        assert canary.hits == 0
