"""Rightly signed messages that are not for us, not for this request or not for now (cases SP)."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace

import pytest
from lxml.etree import _Element

from tests.support.saml_documents import (
    ACS,
    AUD,
    ISS,
    NOW,
    REQ,
    VICTIM,
    Edit,
    accepted,
    changed,
    document,
    expectation,
    find,
    fragment,
    octets,
    refused,
    response_element,
)
from vestibule.clock import MINUTE, SECOND, rfc3339
from vestibule.saml.assertion import single_value
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.response import Expectation, peek_in_response_to

OTHER = "https://other.example.com/acs"
UNSOLICITED = expectation(request_id=None)
LASTING = ("saml:Conditions", "saml:SubjectConfirmationData")
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"


def put(name: str, attribute: str, value: str | None) -> Edit:
    """An edit that sets an attribute, or takes it away."""

    def edit(root: _Element) -> None:
        element = find(root, name)
        if value is None:
            element.attrib.pop(attribute)
        else:
            element.set(attribute, value)

    return edit


def write(name: str, text: str) -> Edit:
    def edit(root: _Element) -> None:
        find(root, name).text = text

    return edit


def remove(name: str) -> Edit:
    def edit(root: _Element) -> None:
        element = find(root, name)
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)

    return edit


def append(name: str, *texts: str) -> Edit:
    def edit(root: _Element) -> None:
        find(root, name).extend(fragment(text) for text in texts)

    return edit


def all_of(*edits: Edit) -> Edit:
    def edit(root: _Element) -> None:
        for each in edits:
            each(root)

    return edit


def audiences(*values: str) -> str:
    inner = "".join(f"<saml:Audience>{value}</saml:Audience>" for value in values)
    return f"<saml:AudienceRestriction>{inner}</saml:AudienceRestriction>"


def confirmation(**attributes: str) -> str:
    stated = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return (
        '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">'
        f"<saml:SubjectConfirmationData{stated}/></saml:SubjectConfirmation>"
    )


@pytest.mark.case("SP-01")
def test_sp_01_audience_of_another_service_provider() -> None:
    error = refused(document(root=response_element(audience=OTHER)), Reason.SAML_AUDIENCE)
    assert (error.expected, error.received) == (AUD, OTHER)


@pytest.mark.case("SP-02")
@pytest.mark.parametrize("ours_first", [True, False])
def test_sp_02_every_audience_restriction_has_to_name_us(ours_first: bool) -> None:
    def edit(root: _Element) -> None:
        conditions = find(root, "saml:Conditions")
        conditions.insert(1 if ours_first else 0, fragment(audiences(OTHER)))

    refused(document(before=edit), Reason.SAML_AUDIENCE)
    both = document(before=append("saml:Conditions", audiences(OTHER, AUD)))
    assert accepted(both).name_id == VICTIM


@pytest.mark.case("SP-03")
def test_sp_03_one_of_three_audiences() -> None:
    edit = all_of(
        remove("saml:AudienceRestriction"),
        append("saml:Conditions", audiences(OTHER, AUD, "urn:third")),
    )
    assert accepted(document(before=edit)).name_id == VICTIM


@pytest.mark.case("SP-04")
@pytest.mark.parametrize("audience", [f"{AUD}/", AUD.upper(), f"{AUD} ", AUD[:-1], f"{AUD[:-1]}2"])
def test_sp_04_audience_is_compared_byte_for_byte(audience: str) -> None:
    refused(document(root=response_element(audience=audience)), Reason.SAML_AUDIENCE)


@pytest.mark.case("SP-05")
@pytest.mark.parametrize(
    "edit",
    [
        remove("saml:Conditions"),
        remove("saml:AudienceRestriction"),
        remove("saml:Audience"),
        write("saml:Audience", ""),
    ],
)
def test_sp_05_no_audience(edit: Edit) -> None:
    refused(document(before=edit), Reason.SAML_AUDIENCE)


@pytest.mark.case("SP-06")
@pytest.mark.parametrize("recipient", [OTHER, f"{ACS[:-1]}2", f"{ACS}?x=1", f"{ACS}/", "", None])
def test_sp_06_recipient_of_another(recipient: str | None) -> None:
    edit = put("saml:SubjectConfirmationData", "Recipient", recipient)
    refused(document(before=edit), Reason.SAML_RECIPIENT)


@pytest.mark.case("SP-07")
def test_sp_07_second_confirmation_holds() -> None:
    def edit(root: _Element) -> None:
        end = rfc3339(NOW + MINUTE)
        wrong = fragment(confirmation(Recipient=OTHER, NotOnOrAfter=end, InResponseTo=REQ))
        find(root, "saml:SubjectConfirmation").addprevious(wrong)

    result = accepted(document(before=edit))
    assert result.name_id == VICTIM
    assert OTHER not in [step.received for step in result.steps]


@pytest.mark.case("SP-08")
@pytest.mark.parametrize(
    "method",
    [
        "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key",
        "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches",
        "urn:oasis:names:tc:SAML:1.0:cm:bearer",
        "",
        None,
    ],
)
def test_sp_08_other_confirmation_methods(method: str | None) -> None:
    edit = put("saml:SubjectConfirmation", "Method", method)
    refused(document(before=edit), Reason.SAML_CONFIRMATION)


@pytest.mark.case("SP-08")
def test_sp_08_no_confirmation() -> None:
    refused(document(before=remove("saml:SubjectConfirmation")), Reason.SAML_CONFIRMATION)


@pytest.mark.case("SP-09")
def test_sp_09_bearer_confirmation_with_not_before() -> None:
    edit = put("saml:SubjectConfirmationData", "NotBefore", rfc3339(NOW - MINUTE))
    refused(document(before=edit), Reason.SAML_CONFIRMATION)


@pytest.mark.case("SP-10")
@pytest.mark.parametrize(
    "edit",
    [
        put("saml:SubjectConfirmationData", "NotOnOrAfter", None),
        remove("saml:SubjectConfirmationData"),
        append("saml:SubjectConfirmation", f'<saml:SubjectConfirmationData Recipient="{ACS}"/>'),
    ],
)
def test_sp_10_confirmation_without_an_end_or_data(edit: Edit) -> None:
    refused(document(before=edit), Reason.SAML_CONFIRMATION)


@pytest.mark.case("SP-11")
def test_sp_11_address_is_not_compared() -> None:
    edit = put("saml:SubjectConfirmationData", "Address", "192.0.2.1")
    assert accepted(document(before=edit)).name_id == VICTIM


@pytest.mark.case("SP-12")
@pytest.mark.parametrize("sign", ["assertion", "response"])
@pytest.mark.parametrize(
    "destination",
    [
        OTHER,
        f"{ACS[:-1]}2",
        ACS.replace("https:", "http:"),
        ACS.replace(".com", ".com:8443"),
        ACS.replace(".com", ".com:443"),
        "",
    ],
)
def test_sp_12_other_destinations(destination: str, sign: str) -> None:
    edit = put("samlp:Response", "Destination", destination)
    root = document(sign="response" if sign == "response" else "assertion", before=edit)
    refused(root, Reason.SAML_DESTINATION)


@pytest.mark.case("SP-13")
def test_sp_13_destination_may_be_absent_on_an_unsigned_response_only() -> None:
    absent = put("samlp:Response", "Destination", None)
    assert accepted(document(before=absent)).name_id == VICTIM
    refused(document(sign="response", before=absent), Reason.SAML_DESTINATION)
    refused(document(sign="both", before=absent), Reason.SAML_DESTINATION)


def test_second_url_and_second_audience_of_a_migration() -> None:
    migrating = replace(expectation(), acs_urls=(OTHER, ACS), audiences=("urn:old", AUD))
    assert accepted(document(), migrating).name_id == VICTIM
    old = document(root=response_element(acs=OTHER, audience="urn:old"))
    assert accepted(old, migrating).name_id == VICTIM


@pytest.mark.case("SP-15")
def test_sp_15_signed_in_response_to_decides() -> None:
    edit = put("saml:SubjectConfirmationData", "InResponseTo", "_other")
    error = refused(document(before=edit), Reason.SAML_IN_RESPONSE_TO)
    assert (error.expected, error.received) == (REQ, "_other")


@pytest.mark.case("SP-15")
def test_sp_15_unsigned_in_response_to_alone_does_not_count() -> None:
    edit = put("saml:SubjectConfirmationData", "InResponseTo", None)
    refused(document(before=edit), Reason.SAML_IN_RESPONSE_TO)
    assert accepted(document(sign="response", before=edit)).in_response_to == REQ


@pytest.mark.case("SP-16")
def test_sp_16_in_response_to_on_the_confirmation_only() -> None:
    edit = put("samlp:Response", "InResponseTo", None)
    assert accepted(document(before=edit)).in_response_to == REQ


@pytest.mark.case("SP-17")
@pytest.mark.parametrize("sign", ["assertion", "response"])
def test_sp_17_answer_to_another_request(sign: str) -> None:
    root = response_element(in_response_to="_request-2")
    message = document(sign="response" if sign == "response" else "assertion", root=root)
    refused(message, Reason.SAML_IN_RESPONSE_TO)


@pytest.mark.case("SP-17")
def test_sp_17_other_request_on_the_response_only() -> None:
    refused(
        document(before=put("samlp:Response", "InResponseTo", "_2")), Reason.SAML_IN_RESPONSE_TO
    )


@pytest.mark.case("SP-18")
def test_sp_18_unsolicited_while_that_is_off() -> None:
    root = document(root=response_element(in_response_to=None))
    refused(deepcopy(root), Reason.SAML_UNSOLICITED)
    refused(root, Reason.SAML_UNSOLICITED, replace(UNSOLICITED, refuse_unsolicited=True))
    assert accepted(document(), replace(expectation(), refuse_unsolicited=True)).name_id == VICTIM


@pytest.mark.case("SP-19")
def test_sp_19_unsolicited_while_that_is_on() -> None:
    result = accepted(document(root=response_element(in_response_to=None)), UNSOLICITED)
    assert (result.name_id, result.in_response_to) == (VICTIM, None)


@pytest.mark.case("SP-20", "SP-21")
@pytest.mark.parametrize(
    "edit",
    [
        lambda _: None,
        put("samlp:Response", "InResponseTo", None),
        put("saml:SubjectConfirmationData", "InResponseTo", None),
        all_of(
            put("samlp:Response", "InResponseTo", None),
            put("saml:SubjectConfirmationData", "InResponseTo", ""),
        ),
    ],
)
def test_sp_20_21_unsolicited_must_not_name_a_request(edit: Edit) -> None:
    refused(document(before=edit), Reason.SAML_IN_RESPONSE_TO, UNSOLICITED)


@pytest.mark.case("SP-24", "SP-26")
def test_sp_24_26_replay_key_does_not_depend_on_the_envelope() -> None:
    root = document()
    first = accepted(root)
    wrapped = response_element(response_id="_fresh")
    wrapped.replace(find(wrapped, "saml:Assertion"), deepcopy(find(root, "saml:Assertion")))
    data = changed(octets(wrapped), "<samlp:Status>", "<!-- new --> <samlp:Status>")
    second = accepted(data)
    assert first.response_id != second.response_id
    assert (first.assertion_id, first.replay_until) == (second.assertion_id, second.replay_until)


def lasting(minutes: int) -> _Element:
    """Return a Response that says it may be used for so long."""
    end = rfc3339(NOW + minutes * MINUTE)
    ends = (put(name, "NotOnOrAfter", end) for name in LASTING)
    return document(before=all_of(*ends))


@pytest.mark.case("SP-25")
def test_sp_25_replay_record_lives_as_long_as_the_assertion_would_be_accepted() -> None:
    until = accepted(lasting(60)).replay_until
    assert until == NOW + expectation().max_age + MINUTE
    assert accepted(lasting(60), now=until - 1).name_id == VICTIM
    refused(lasting(60), Reason.SAML_EXPIRED, now=until)


@pytest.mark.case("SP-25")
@pytest.mark.parametrize("minutes", [1, 5, 8])
def test_sp_25_replay_record_outlives_an_assertion_that_ends_sooner(minutes: int) -> None:
    end = NOW + minutes * MINUTE + MINUTE
    assert accepted(lasting(minutes), now=end - 1).replay_until >= end
    refused(lasting(minutes), Reason.SAML_EXPIRED, now=end)


@pytest.mark.case("SP-28")
@pytest.mark.parametrize(("ahead", "fine"), [(59, True), (60, True), (61, False)])
def test_sp_28_not_before(ahead: int, fine: bool) -> None:
    edit = put("saml:Conditions", "NotBefore", rfc3339(NOW + ahead * SECOND))
    if fine:
        assert accepted(document(before=edit)).name_id == VICTIM
    else:
        refused(document(before=edit), Reason.SAML_NOT_YET)


@pytest.mark.case("SP-29", "SP-30")
@pytest.mark.parametrize("element", ["saml:Conditions", "saml:SubjectConfirmationData"])
@pytest.mark.parametrize(("ago", "fine"), [(59, True), (60, False), (61, False)])
def test_sp_29_30_not_on_or_after(element: str, ago: int, fine: bool) -> None:
    edits = [put(element, "NotOnOrAfter", rfc3339(NOW - ago * SECOND))]
    if element == "saml:Conditions":
        edits.append(put("saml:Conditions", "NotBefore", rfc3339(NOW - 10 * MINUTE)))
    root = document(before=all_of(*edits))
    if fine:
        assert accepted(root).name_id == VICTIM
    else:
        refused(root, Reason.SAML_EXPIRED)


@pytest.mark.case("SP-28", "SP-29")
def test_sp_28_29_skew_of_a_connection() -> None:
    late = replace(expectation(), clock_skew=5 * MINUTE)
    root = document()
    assert accepted(root, late, now=NOW + 10 * MINUTE - 1).name_id == VICTIM
    refused(document(), Reason.SAML_EXPIRED, late, now=NOW + 10 * MINUTE)
    none = replace(expectation(), clock_skew=0)
    assert accepted(document(), none, now=NOW + 5 * MINUTE - 1).name_id == VICTIM
    refused(document(), Reason.SAML_EXPIRED, none, now=NOW + 5 * MINUTE)


@pytest.mark.case("SP-31")
@pytest.mark.parametrize("not_before", [NOW + 5 * MINUTE, NOW + 6 * MINUTE])
def test_sp_31_window_that_ends_before_it_begins(not_before: int) -> None:
    edit = put("saml:Conditions", "NotBefore", rfc3339(not_before))
    expected = replace(expectation(), clock_skew=5 * MINUTE)
    refused(document(before=edit), Reason.SAML_CONDITION, expected, now=NOW + 2 * MINUTE)


@pytest.mark.case("SP-31")
def test_sp_31_ten_years_are_cut_to_the_age_we_accept() -> None:
    years = "2036-11-18T12:00:00Z"
    edit = all_of(
        put("saml:Conditions", "NotOnOrAfter", years),
        put("saml:SubjectConfirmationData", "NotOnOrAfter", years),
    )
    result = accepted(document(before=edit))
    assert result.replay_until == NOW + 11 * MINUTE
    assert accepted(document(before=edit), now=result.replay_until - 1).name_id == VICTIM
    error = refused(document(before=edit), Reason.SAML_EXPIRED, now=result.replay_until)
    assert error.expected == "issued within 600 s"


@pytest.mark.case("SP-31")
@pytest.mark.parametrize(("ahead", "fine"), [(60, True), (61, False)])
def test_sp_31_issued_in_the_future(ahead: int, fine: bool) -> None:
    edit = put("saml:Assertion", "IssueInstant", rfc3339(NOW + ahead * SECOND))
    if fine:
        assert accepted(document(before=edit)).name_id == VICTIM
    else:
        refused(document(before=edit), Reason.SAML_NOT_YET)


TIMES = (
    ("2026-11-18T12:04:00Z", True),
    ("2026-11-18T12:04:00.1Z", True),
    ("2026-11-18T12:04:00.123456789Z", True),
    ("2026-11-18T14:04:00+02:00", True),
    ("2026-11-18T12:04:00", True),
    ("2026-11-18T24:00:00Z", False),
    ("2026-12-31T23:59:60Z", False),
    ("0000-01-01T00:00:00Z", False),
    ("99999-01-01T00:00:00Z", False),
    ("2026-11-18T12:04:00z", False),
    ("2026-11-18T12:04:00.1234567890Z", False),
    (f"2026-11-18T12:04:00.{'1' * 5_000}Z", False),
    ("9" * 5_000, False),
    ("2026-11-18 12:04:00Z", False),
    ("2026-02-30T12:04:00Z", False),
    ("2026-11-18T12:04:00+15:00", False),
    ("2026-11-18T12:04:00Z ", False),
    ("２０２６-11-18T12:04:00Z", False),
    ("", False),
)


@pytest.mark.case("SP-32", "SP-33")
@pytest.mark.parametrize(("written", "fine"), TIMES, ids=[time[:30] for time, _ in TIMES])
def test_sp_32_33_shapes_of_a_time(written: str, fine: bool) -> None:
    edit = put("saml:Conditions", "NotOnOrAfter", written)
    if fine:
        assert accepted(document(before=edit)).name_id == VICTIM
    else:
        refused(document(before=edit), Reason.SAML_TIME)


@pytest.mark.case("SP-32")
@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("saml:Assertion", "IssueInstant"),
        ("saml:Conditions", "NotBefore"),
        ("saml:SubjectConfirmationData", "NotOnOrAfter"),
        ("saml:AuthnStatement", "AuthnInstant"),
        ("saml:AuthnStatement", "SessionNotOnOrAfter"),
    ],
)
def test_sp_32_every_time_is_read_strictly(name: str, attribute: str) -> None:
    refused(document(before=put(name, attribute, "tomorrow")), Reason.SAML_TIME)


@pytest.mark.case("SP-34")
@pytest.mark.parametrize("with_message", [True, False])
@pytest.mark.parametrize("code", ["AuthnFailed", "NoPassive", "RequestDenied"])
def test_sp_34_error_of_the_identity_provider(code: str, with_message: bool) -> None:
    message = f"<samlp:StatusMessage>{'<b>no</b> ' * 60}</samlp:StatusMessage>".replace(
        "<b>", "&lt;b&gt;"
    ).replace("</b>", "&lt;/b&gt;")
    edit = all_of(
        remove("saml:Assertion"),
        put("samlp:StatusCode", "Value", "urn:oasis:names:tc:SAML:2.0:status:Responder"),
        append(
            "samlp:StatusCode",
            f'<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:{code}"/>',
        ),
        append("samlp:Status", *([message] if with_message else [])),
    )
    error = refused(document(sign="none", before=edit), Reason.SAML_STATUS)
    received = error.received or ""
    assert received.startswith(f"Responder {code}: <b>no" if with_message else f"Responder {code}")
    assert len(received) <= 200


@pytest.mark.case("SP-35")
def test_sp_35_success_with_a_nested_code() -> None:
    edit = append("samlp:StatusCode", '<samlp:StatusCode Value="urn:second"/>')
    assert accepted(document(before=edit)).name_id == VICTIM


@pytest.mark.case("SP-35")
@pytest.mark.parametrize(
    "edit",
    [
        remove("samlp:Status"),
        remove("samlp:StatusCode"),
        append(
            "samlp:Response", f'<samlp:Status><samlp:StatusCode Value="{SUCCESS}"/></samlp:Status>'
        ),
        append("samlp:Status", f'<samlp:StatusCode Value="{SUCCESS}"/>'),
        append("samlp:StatusCode", *['<samlp:StatusCode Value="urn:x"/>'] * 2),
        put("samlp:StatusCode", "Value", f"{SUCCESS} "),
        put("samlp:StatusCode", "Value", "Success"),
        all_of(
            put("samlp:StatusCode", "Value", "urn:oasis:names:tc:SAML:2.0:status:Responder"),
            append("samlp:StatusCode", f'<samlp:StatusCode Value="{SUCCESS}"/>'),
        ),
        put("samlp:StatusCode", "Value", None),
    ],
)
def test_sp_35_other_statuses(edit: Edit) -> None:
    refused(document(before=edit), Reason.SAML_STATUS)


@pytest.mark.case("SP-36")
def test_sp_36_issuer_of_the_response_may_be_absent() -> None:
    assert accepted(document(before=remove("saml:Issuer"))).issuer == ISS


@pytest.mark.case("SP-36")
@pytest.mark.parametrize("sign", ["assertion", "response"])
@pytest.mark.parametrize(
    "edit",
    [
        write("saml:Issuer", "https://other.example.com"),
        write("saml:Issuer", ""),
        put("saml:Issuer", "Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"),
        append("samlp:Response", f"<saml:Issuer>{ISS}</saml:Issuer>"),
    ],
)
def test_sp_36_other_issuers_of_the_response(edit: Edit, sign: str) -> None:
    root = document(sign="response" if sign == "response" else "assertion", before=edit)
    refused(root, Reason.SAML_ISSUER)


@pytest.mark.case("SP-36")
def test_sp_36_issuer_of_the_entity_format() -> None:
    edit = put("saml:Issuer", "Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:entity")
    assert accepted(document(before=edit)).issuer == ISS


@pytest.mark.case("SP-37", "SP-38")
@pytest.mark.parametrize(
    "issuer", [None, "https://other.example.com", f"{ISS}/", ISS.upper(), f" {ISS}", f"{ISS}\n", ""]
)
def test_sp_37_38_other_issuers_of_the_assertion(issuer: str | None) -> None:
    def edit(root: _Element) -> None:
        assertion = find(root, "saml:Assertion")
        if issuer is None:
            assertion.remove(assertion[0])
        else:
            assertion[0].text = issuer

    error = refused(document(before=edit), Reason.SAML_ISSUER)
    assert error.expected == ISS


@pytest.mark.case("SP-37")
def test_sp_37_two_issuers_of_the_assertion() -> None:
    edit = append("saml:Assertion", f"<saml:Issuer>{ISS}</saml:Issuer>")
    refused(document(before=edit), Reason.SAML_ISSUER)


@pytest.mark.case("SP-39")
def test_sp_39_no_authn_statement() -> None:
    edit = remove("saml:AuthnStatement")
    refused(document(before=edit), Reason.SAML_AUTHN)
    tolerant = replace(expectation(), allow_missing_authn_statement=True)
    result = accepted(document(before=edit), tolerant)
    assert result.warnings == ("authn.missing",)
    assert (result.session_index, result.authenticated_at, result.authn_context) == (None,) * 3


def second_statement(end: int) -> Edit:
    return append(
        "saml:Assertion",
        f'<saml:AuthnStatement AuthnInstant="{rfc3339(NOW - MINUTE)}" SessionIndex="_second"'
        f' SessionNotOnOrAfter="{rfc3339(end)}"/>',
    )


@pytest.mark.case("SP-39")
def test_sp_39_two_authn_statements_first_counts_and_the_earliest_end() -> None:
    end = NOW + 20 * MINUTE
    result = accepted(document(before=second_statement(end)))
    assert (result.session_index, result.authenticated_at) == ("_session-1", NOW)
    assert result.session_not_on_or_after == end
    refused(document(before=second_statement(NOW - 2 * MINUTE)), Reason.SAML_EXPIRED)
    later = put("saml:AuthnStatement", "SessionNotOnOrAfter", rfc3339(end + MINUTE))
    both = all_of(later, second_statement(end))
    assert accepted(document(before=both)).session_not_on_or_after == end


@pytest.mark.case("SP-39", "SP-40")
@pytest.mark.parametrize(("seconds", "fine"), [(1_200, True), (-59, True), (-60, False)])
def test_sp_39_40_end_of_the_session_at_the_identity_provider(seconds: int, fine: bool) -> None:
    end = NOW + seconds * SECOND
    root = document(before=put("saml:AuthnStatement", "SessionNotOnOrAfter", rfc3339(end)))
    if fine:
        assert accepted(root).session_not_on_or_after == end
    else:
        refused(root, Reason.SAML_EXPIRED)


@pytest.mark.case("SP-41")
def test_sp_41_authentication_context_that_a_connection_demands() -> None:
    password = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
    strong = replace(expectation(), authn_contexts=("urn:mfa",))
    refused(document(), Reason.SAML_CONTEXT, strong)
    refused(document(before=remove("saml:AuthnContext")), Reason.SAML_CONTEXT, strong)
    either = replace(expectation(), authn_contexts=("urn:mfa", password))
    assert accepted(document(), either).authn_context == password
    assert accepted(document(before=remove("saml:AuthnContext"))).authn_context is None


@pytest.mark.case("SP-42")
@pytest.mark.parametrize("count", [0, 2])
def test_sp_42_not_one_subject(count: int) -> None:
    def edit(root: _Element) -> None:
        subject = find(root, "saml:Subject")
        subject.addnext(deepcopy(subject))
        if count == 0:
            all_of(remove("saml:Subject"), remove("saml:Subject"))(root)

    refused(document(before=edit), Reason.SAML_SUBJECT)


@pytest.mark.case("SP-42")
def test_sp_42_no_name_id() -> None:
    edit = remove("saml:NameID")
    refused(document(before=edit), Reason.SAML_SUBJECT)
    by_attribute = replace(expectation(), require_name_id=False)
    result = accepted(document(before=edit), by_attribute)
    assert (result.name_id, result.name_id_format) == (None, None)


@pytest.mark.case("SP-42")
@pytest.mark.parametrize("value", ["", "   ", "\n\t"])
@pytest.mark.parametrize("required", [True, False])
def test_sp_42_empty_name_id(value: str, required: bool) -> None:
    expected = replace(expectation(), require_name_id=required)
    refused(document(before=write("saml:NameID", value)), Reason.SAML_SUBJECT, expected)


@pytest.mark.case("SP-43")
@pytest.mark.parametrize(
    "text", [f"<saml:NameID>{VICTIM}</saml:NameID>", "<saml:BaseID/>", "<saml:EncryptedID/>"]
)
@pytest.mark.parametrize("required", [True, False])
def test_sp_43_two_identifiers(text: str, required: bool) -> None:
    expected = replace(expectation(), require_name_id=required)
    refused(document(before=append("saml:Subject", text)), Reason.SAML_SUBJECT, expected)


@pytest.mark.case("SP-43")
def test_sp_43_name_id_for_another_service_provider() -> None:
    theirs = put("saml:NameID", "SPNameQualifier", OTHER)
    refused(document(before=theirs), Reason.SAML_SUBJECT)
    ours = put("saml:NameID", "SPNameQualifier", AUD)
    assert accepted(document(before=ours)).name_id == VICTIM


@pytest.mark.case("SP-44")
def test_sp_44_transient_name_id_is_told_apart_by_its_format() -> None:
    transient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
    result = accepted(document(before=put("saml:NameID", "Format", transient)))
    assert result.name_id_format == transient


@pytest.mark.case("SP-45")
@pytest.mark.parametrize("in_another_statement", [True, False])
def test_sp_45_attribute_sent_twice(in_another_statement: bool) -> None:
    again = [
        f'<saml:Attribute Name="{name}"><saml:AttributeValue>{value}</saml:AttributeValue>'
        "</saml:Attribute>"
        for name, value in (("email", "b@x.test"), ("groups", "more"))
    ]
    edit = append("saml:AttributeStatement", *again)
    if in_another_statement:
        statement = f"<saml:AttributeStatement>{''.join(again)}</saml:AttributeStatement>"
        edit = append("saml:Assertion", statement)
    attributes = accepted(document(before=edit)).attributes
    assert attributes["groups"] == ("engineering", "mathematics", "more")
    with pytest.raises(SamlError) as caught:
        single_value(attributes, "email")
    assert caught.value.reason is Reason.SAML_ATTRIBUTE


@pytest.mark.case("SP-48")
def test_sp_48_friendly_name_is_not_looked_at() -> None:
    edit = all_of(
        put("saml:Attribute", "FriendlyName", "email"), put("saml:Attribute", "Name", "urn:oid:1")
    )
    attributes = accepted(document(before=edit)).attributes
    assert attributes["urn:oid:1"] == (VICTIM,)
    assert "email" not in attributes


@pytest.mark.case("SP-49")
def test_sp_49_many_values() -> None:
    many: dict[str, Sequence[str]] = {
        "unknown": [f"value {number}" for number in range(1_000)],
        "groups": [f"{number:0256}" for number in range(200)],
    }
    result = accepted(document(root=response_element(attributes=many)))
    assert result.attributes == {name: tuple(values) for name, values in many.items()}
    too_many = response_element(attributes={"groups": ["x"] * 2_001})
    error = refused(document(root=too_many), Reason.SAML_ATTRIBUTE)
    assert (error.expected, error.received) == ("at most 2000 values", "2001 or more")


XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


@pytest.mark.case("SP-50")
@pytest.mark.parametrize(
    ("values", "read"),
    [
        (f'<saml:AttributeValue {XSI} xsi:type="xs:anyType">v</saml:AttributeValue>', ("v",)),
        (f'<saml:AttributeValue {XSI} xsi:type="unbound:t">v</saml:AttributeValue>', ("v",)),
        ("<saml:AttributeValue/>", ("",)),
        ("", ()),
        (f'<saml:AttributeValue {XSI} xsi:nil="true"/>', None),
        (f'<saml:AttributeValue {XSI} xsi:nil="1"/>', None),
        (f'<saml:AttributeValue {XSI} xsi:nil="true">v</saml:AttributeValue>', None),
        (f'<saml:AttributeValue {XSI} xsi:nil="false">v</saml:AttributeValue>', ("v",)),
        (
            f'<saml:AttributeValue {XSI} xsi:nil="1"/><saml:AttributeValue>v</saml:AttributeValue>',
            ("v",),
        ),
    ],
)
def test_sp_50_types_and_null(values: str, read: tuple[str, ...] | None) -> None:
    text = f'<saml:Attribute Name="odd">{values}</saml:Attribute>'
    result = accepted(document(before=append("saml:AttributeStatement", text)))
    assert result.attributes.get("odd") == read
    assert result.warnings == ()


@pytest.mark.case("SP-50")
def test_sp_50_elements_in_a_value_are_left_out_with_a_warning() -> None:
    nested = "<saml:AttributeValue><saml:NameID>x</saml:NameID></saml:AttributeValue>"
    text = f'<saml:Attribute Name="id">{nested}{{}}</saml:Attribute>'
    only = accepted(document(before=append("saml:AttributeStatement", text.format(""))))
    assert "id" not in only.attributes
    assert only.warnings == ("attribute.nested: id",)
    plain = text.format("<saml:AttributeValue>v</saml:AttributeValue>")
    both = accepted(document(before=append("saml:AttributeStatement", plain)))
    assert both.attributes["id"] == ("v",)


@pytest.mark.case("SP-50")
@pytest.mark.parametrize("name", [None, ""])
def test_sp_50_attribute_without_a_name(name: str | None) -> None:
    refused(document(before=put("saml:Attribute", "Name", name)), Reason.SAML_ATTRIBUTE)


def test_assertion_without_attributes() -> None:
    assert accepted(document(root=response_element(attributes={}))).attributes == {}


@pytest.mark.case("SP-51")
@pytest.mark.parametrize(
    ("text", "fine"),
    [
        ("<saml:OneTimeUse/>", True),
        ('<saml:ProxyRestriction Count="0"/>', True),
        (f'<saml:Condition {XSI} xsi:type="q:Unknown" xmlns:q="urn:q"/>', False),
        ('<q:Unknown xmlns:q="urn:q"/>', False),
    ],
)
def test_sp_51_conditions(text: str, fine: bool) -> None:
    root = document(before=append("saml:Conditions", text))
    if fine:
        assert accepted(root).name_id == VICTIM
    else:
        refused(root, Reason.SAML_CONDITION)


@pytest.mark.case("SP-51")
def test_sp_51_two_conditions() -> None:
    def edit(root: _Element) -> None:
        conditions = find(root, "saml:Conditions")
        conditions.addnext(deepcopy(conditions))

    refused(document(before=edit), Reason.SAML_CONDITION)


@pytest.mark.case("SP-55")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda e: replace(e, idp_entity_id="https://idp.example.com/2"), Reason.SAML_ISSUER),
        (lambda e: replace(e, acs_urls=(f"{ACS[:-1]}2",)), Reason.SAML_DESTINATION),
        (lambda e: replace(e, audiences=(f"{AUD[:-1]}2",)), Reason.SAML_AUDIENCE),
    ],
)
def test_sp_55_response_for_one_connection_at_another(
    change: Callable[[Expectation], Expectation], reason: Reason
) -> None:
    refused(document(), reason, change(expectation()))


@pytest.mark.parametrize("in_response_to", [REQ, None])
def test_peek_says_what_the_response_claims(in_response_to: str | None) -> None:
    root = response_element(in_response_to=in_response_to)
    assert peek_in_response_to(octets(root)) == in_response_to
    del root.attrib["Destination"]
    root.attrib.pop("InResponseTo", "")
    assert peek_in_response_to(octets(root)) == in_response_to


def test_peek_refuses_what_the_verifier_would() -> None:
    with pytest.raises(SamlError) as caught:
        peek_in_response_to(b"<!DOCTYPE x><x/>")
    assert caught.value.reason is Reason.XML_DOCTYPE
