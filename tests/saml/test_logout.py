"""Single Logout: messages written, and verified by both bindings."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from lxml import etree
from lxml.etree import _Element

from tests.support.saml_encryption import AES_CBC, Encryption, encrypt_name_id
from tests.support.saml_keys import signer
from tests.support.saml_logout import (
    AUD,
    EMAIL,
    EXPECTATION,
    ISS,
    NOW,
    REQUEST,
    SLO,
    VICTIM,
    edited,
    posted,
    redirected,
    request,
    response,
)
from tests.support.second_opinions import xmlsec_accepts
from vestibule.clock import MINUTE, SECOND
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.logout import (
    LogoutStatus,
    VerifiedLogoutRequest,
    VerifiedLogoutResponse,
    logout_request,
    logout_response,
    verify_logout_request,
    verify_logout_response,
)
from vestibule.saml.redirect import RedirectMessage
from vestibule.saml.xml import SAML, SAMLP, parse

Deliver = Callable[[_Element], bytes | RedirectMessage]

both_bindings = pytest.mark.parametrize("deliver", [posted, redirected])
HOSTILE = """"><x y='1'/>&amp;<!-- ]]> \U0001f511"""


def read_request(message: bytes | RedirectMessage, *, now: int = NOW) -> VerifiedLogoutRequest:
    return verify_logout_request(message, EXPECTATION, now=now)


def read_response(message: bytes | RedirectMessage) -> VerifiedLogoutResponse:
    return verify_logout_response(message, EXPECTATION, request_id=REQUEST, now=NOW)


def refusal(message: bytes | RedirectMessage, *, now: int = NOW) -> SamlError:
    """Why a LogoutRequest is refused, where a good one is accepted."""
    assert read_request(posted(request())).name_id == VICTIM
    with pytest.raises(SamlError) as refused:
        read_request(message, now=now)
    return refused.value


def response_refusal(message: bytes | RedirectMessage) -> SamlError:
    """Why a LogoutResponse is refused, where a good one is accepted."""
    assert read_response(posted(response())).in_response_to == REQUEST
    with pytest.raises(SamlError) as refused:
        read_response(message)
    return refused.value


def put(name: str, value: str | None) -> Callable[[_Element], None]:
    """Set an attribute of the root, or take it away."""

    def edit(root: _Element) -> None:
        if value is None:
            del root.attrib[name]
        else:
            root.set(name, value)

    return edit


def put_text(tag: str, value: str) -> Callable[[_Element], None]:
    def edit(root: _Element) -> None:
        next(root.iter(tag)).text = value

    return edit


# Written ---------------------------------------------------------------------------------------


def outline(element: _Element) -> list[object]:
    attributes = {str(name): str(value) for name, value in element.attrib.items()}
    name = etree.QName(element).localname
    return [name, attributes, element.text, *(outline(child) for child in element)]


def test_logout_request_says_who_logs_out_whom() -> None:
    root = parse(
        logout_request(
            request_id="_1",
            issued_at=NOW,
            not_on_or_after=NOW + 5 * MINUTE,
            destination="https://idp.example.com/slo",
            issuer=AUD,
            name_id=VICTIM,
            name_id_format=EMAIL,
            session_indexes=["_s1", "_s2"],
        )
    )
    assert root.tag == f"{{{SAMLP}}}LogoutRequest"
    assert outline(root) == [
        "LogoutRequest",
        {
            "ID": "_1",
            "Version": "2.0",
            "IssueInstant": "2026-11-18T12:00:00Z",
            "Destination": "https://idp.example.com/slo",
            "NotOnOrAfter": "2026-11-18T12:05:00Z",
        },
        None,
        ["Issuer", {}, AUD],
        ["NameID", {"Format": EMAIL}, VICTIM],
        ["SessionIndex", {}, "_s1"],
        ["SessionIndex", {}, "_s2"],
    ]


@pytest.mark.parametrize(
    ("status", "codes"),
    [
        (LogoutStatus.SUCCESS, ["Success"]),
        (LogoutStatus.PARTIAL, ["Success", "PartialLogout"]),
        (LogoutStatus.UNKNOWN_PRINCIPAL, ["Requester", "UnknownPrincipal"]),
        (LogoutStatus.DENIED, ["Requester", "RequestDenied"]),
    ],
)
def test_logout_response_says_what_became_of_it(status: LogoutStatus, codes: list[str]) -> None:
    root = parse(
        logout_response(
            response_id="_2",
            issued_at=NOW,
            destination="https://idp.example.com/slo",
            issuer=AUD,
            in_response_to="_1",
            status=status,
        )
    )
    assert root.tag == f"{{{SAMLP}}}LogoutResponse"
    assert (root.get("InResponseTo"), root.get("ID")) == ("_1", "_2")
    assert [etree.QName(child).localname for child in root] == ["Issuer", "Status"]
    values = [element.get("Value", "") for element in root.iter(f"{{{SAMLP}}}StatusCode")]
    assert values == [f"urn:oasis:names:tc:SAML:2.0:status:{code}" for code in codes]


@pytest.mark.case("SP-57")
def test_logout_messages_escape_every_value() -> None:
    root = parse(
        logout_request(
            request_id="_1",
            issued_at=NOW,
            not_on_or_after=NOW,
            destination="https://idp.example.com/slo",
            issuer=HOSTILE,
            name_id=HOSTILE,
            session_indexes=[HOSTILE],
        )
    )
    assert [child.text for child in root] == [HOSTILE] * 3


def test_logout_request_without_format_or_sessions_names_neither() -> None:
    message = logout_request(
        request_id="_1",
        issued_at=NOW,
        not_on_or_after=NOW,
        destination="https://idp.example.com/slo",
        issuer=AUD,
        name_id=VICTIM,
    )
    assert outline(parse(message))[3:] == [["Issuer", {}, AUD], ["NameID", {}, VICTIM]]


@pytest.mark.case("SP-58")
def test_logout_goes_to_no_place_a_browser_may_not_be_sent_to() -> None:
    with pytest.raises(SamlError) as refused:
        logout_response(
            response_id="_2",
            issued_at=NOW,
            destination="javascript:alert(1)",
            issuer=AUD,
            in_response_to="_1",
            status=LogoutStatus.SUCCESS,
        )
    assert refused.value.reason is Reason.SAML_DESTINATION


# Verified --------------------------------------------------------------------------------------


@both_bindings
def test_a_good_logout_request_says_whom_it_logs_out(deliver: Deliver) -> None:
    verified = read_request(deliver(request(session_indexes=("_s1", "_s2"))))
    assert (verified.request_id, verified.name_id, verified.name_id_format) == (
        "_idp-request",
        VICTIM,
        EMAIL,
    )
    assert verified.session_indexes == ("_s1", "_s2")
    assert verified.replay_until == NOW + 5 * MINUTE + MINUTE
    assert {step.name for step in verified.steps} == {
        "sig.value",
        "saml.issuer",
        "saml.dest",
        "saml.notyet",
        "saml.expired",
    }
    assert all(step.passed for step in verified.steps)


def test_a_posted_logout_request_convinces_xmlsec_too() -> None:
    assert xmlsec_accepts(etree.fromstring(posted(request())), signer("idp").pem)


@pytest.mark.case("SP-62")
@both_bindings
def test_a_logout_request_without_session_index_names_none(deliver: Deliver) -> None:
    assert read_request(deliver(request(session_indexes=()))).session_indexes == ()


@both_bindings
def test_a_logout_request_without_not_on_or_after_lasts_ten_minutes(deliver: Deliver) -> None:
    message = deliver(edited(request(), put("NotOnOrAfter", None)))
    assert read_request(message).replay_until == NOW + 10 * MINUTE + MINUTE


@both_bindings
@pytest.mark.parametrize("partial", [False, True])
def test_a_good_logout_response_answers_our_request(*, deliver: Deliver, partial: bool) -> None:
    status = LogoutStatus.PARTIAL if partial else LogoutStatus.SUCCESS
    verified = read_response(deliver(response(status=status)))
    assert (verified.in_response_to, verified.partial) == (REQUEST, partial)
    assert [step.name for step in verified.steps][-2:] == ["saml.irt", "saml.status"]


def test_verified_logouts_are_made_by_verification_only() -> None:
    with pytest.raises(TypeError, match="only verify_logout_request"):
        VerifiedLogoutRequest(
            request_id="_1",
            name_id=VICTIM,
            name_id_format=None,
            session_indexes=(),
            replay_until=0,
            steps=(),
            proof=None,
        )
    with pytest.raises(TypeError, match="only verify_logout_response"):
        VerifiedLogoutResponse(in_response_to=REQUEST, partial=False, steps=(), proof=None)


@pytest.mark.case("SP-61")
def test_a_posted_message_without_signature_is_refused() -> None:
    error = refusal(etree.tostring(request()))
    assert (error.reason, error.expected) == (Reason.SIG_MISSING, "a signed LogoutRequest")
    error = response_refusal(etree.tostring(response()))
    assert (error.reason, error.expected) == (Reason.SIG_MISSING, "a signed LogoutResponse")


@pytest.mark.case("SP-61")
@pytest.mark.parametrize("deliver", [posted, redirected])
def test_a_message_signed_by_another_key_is_refused(
    deliver: Callable[..., bytes | RedirectMessage],
) -> None:
    assert refusal(deliver(request(), key="attacker")).reason is Reason.SIG_VALUE
    assert response_refusal(deliver(response(), key="attacker")).reason is Reason.SIG_VALUE


@pytest.mark.case("SP-61")
@both_bindings
def test_a_message_is_refused_where_no_key_is_pinned(deliver: Deliver) -> None:
    keyless = replace(EXPECTATION, keys=())
    with pytest.raises(SamlError) as refused:
        verify_logout_request(deliver(request()), keyless, now=NOW)
    assert refused.value.reason is Reason.SIG_NOKEY


@pytest.mark.case("SP-61")
@both_bindings
@pytest.mark.parametrize("issuer", ["https://other.example.com", ISS + "/", ""])
def test_a_message_of_another_issuer_is_refused(deliver: Deliver, issuer: str) -> None:
    edit = put_text(f"{{{SAML}}}Issuer", issuer)
    error = refusal(deliver(edited(request(), edit)))
    assert (error.reason, error.expected, error.received) == (Reason.SAML_ISSUER, ISS, issuer)
    assert response_refusal(deliver(edited(response(), edit))).reason is Reason.SAML_ISSUER


@both_bindings
def test_a_message_without_issuer_is_refused(deliver: Deliver) -> None:
    def edit(root: _Element) -> None:
        issuer = root[0]
        issuer.tag = f"{{{SAMLP}}}Extensions"

    assert refusal(deliver(edited(request(), edit))).reason is Reason.SAML_ISSUER


@both_bindings
@pytest.mark.parametrize("destination", [None, "", SLO + "/", SLO + "?a=b", AUD])
def test_a_message_to_another_place_is_refused(deliver: Deliver, destination: str | None) -> None:
    error = refusal(deliver(edited(request(), put("Destination", destination))))
    assert (error.reason, error.expected) == (Reason.SAML_DESTINATION, SLO)
    error = response_refusal(deliver(edited(response(), put("Destination", destination))))
    assert (error.reason, error.expected) == (Reason.SAML_DESTINATION, SLO)


@pytest.mark.case("SP-61")
@both_bindings
def test_a_logout_request_past_its_end_is_refused(deliver: Deliver) -> None:
    message = request()
    end = NOW + 5 * MINUTE + EXPECTATION.clock_skew
    assert read_request(deliver(message), now=end - 1).name_id == VICTIM
    error = refusal(deliver(message), now=end)
    assert (error.reason, error.received) == (Reason.SAML_EXPIRED, "2026-11-18T12:05:00Z")


@both_bindings
def test_a_message_is_refused_once_it_is_old(deliver: Deliver) -> None:
    root = edited(request(), put("NotOnOrAfter", None))
    end = NOW + 10 * MINUTE + EXPECTATION.clock_skew
    assert read_request(deliver(root), now=end - 1).replay_until == end
    error = refusal(deliver(root), now=end)
    assert error.reason is Reason.SAML_EXPIRED
    assert error.expected == "issued within 600 s"


@both_bindings
def test_a_message_from_the_future_is_refused(deliver: Deliver) -> None:
    soon = edited(request(), put("IssueInstant", "2026-11-18T12:01:00Z"))
    assert read_request(deliver(soon)).name_id == VICTIM
    error = refusal(deliver(edited(soon, put("IssueInstant", "2026-11-18T12:01:01Z"))))
    assert error.reason is Reason.SAML_NOT_YET


@both_bindings
@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("IssueInstant", None),
        ("IssueInstant", ""),
        ("IssueInstant", "today"),
        ("NotOnOrAfter", ""),
        ("NotOnOrAfter", "today"),
    ],
)
def test_a_message_whose_times_are_none_is_refused(
    deliver: Deliver, name: str, written: str | None
) -> None:
    error = refusal(deliver(edited(request(), put(name, written))))
    assert (error.reason, error.received) == (Reason.SAML_TIME, written or "")


@both_bindings
@pytest.mark.parametrize("version", [None, "1.1", "2.1"])
def test_a_message_of_another_version_is_refused(deliver: Deliver, version: str | None) -> None:
    error = refusal(deliver(edited(request(), put("Version", version))))
    assert (error.reason, error.received) == (Reason.SAML_VERSION, version or "none")


def test_a_message_without_id_is_refused() -> None:
    error = refusal(redirected(edited(request(), put("ID", None))))
    assert error.reason is Reason.SAML_ID


@both_bindings
def test_a_message_of_the_other_kind_is_refused(deliver: Deliver) -> None:
    assert refusal(deliver(response())).reason is Reason.SAML_ROOT
    assert response_refusal(deliver(request())).reason is Reason.SAML_ROOT


def test_a_message_under_the_other_parameter_is_refused() -> None:
    misplaced = replace(redirected(request()), parameter="SAMLResponse")
    error = refusal(misplaced)
    assert (error.reason, error.expected) == (Reason.HTTP_PARAMS, "SAMLRequest")


@both_bindings
@pytest.mark.parametrize("status", [LogoutStatus.DENIED, LogoutStatus.UNKNOWN_PRINCIPAL])
@pytest.mark.case("SP-64")
def test_a_logout_response_without_success_is_refused(
    deliver: Deliver, status: LogoutStatus
) -> None:
    assert response_refusal(deliver(response(status=status))).reason is Reason.SAML_STATUS


@both_bindings
@pytest.mark.parametrize("answered", [None, "_other", REQUEST + "x", ""])
@pytest.mark.case("SP-64")
def test_a_logout_response_to_another_request_is_refused(
    deliver: Deliver, answered: str | None
) -> None:
    error = response_refusal(deliver(edited(response(), put("InResponseTo", answered))))
    assert (error.reason, error.expected) == (Reason.SAML_IN_RESPONSE_TO, REQUEST)


@both_bindings
@pytest.mark.parametrize("value", ["", " "])
def test_a_logout_request_with_an_empty_name_is_refused(deliver: Deliver, value: str) -> None:
    error = refusal(deliver(edited(request(), put_text(f"{{{SAML}}}NameID", value))))
    assert (error.reason, error.received) == (Reason.SAML_SUBJECT, "an empty one")


@both_bindings
@pytest.mark.parametrize(("tag", "received"), [("BaseID", "BaseID"), ("x", "none")])
def test_a_logout_request_without_a_name_is_refused(
    deliver: Deliver, tag: str, received: str
) -> None:
    def edit(root: _Element) -> None:
        next(root.iter(f"{{{SAML}}}NameID")).tag = f"{{{SAML}}}{tag}"

    error = refusal(deliver(edited(request(), edit)))
    assert (error.reason, error.received) == (Reason.SAML_SUBJECT, received)


def hidden(how: Encryption) -> Callable[[_Element], None]:
    """Encrypt the NameID."""

    def edit(root: _Element) -> None:
        encrypt_name_id(root, how)

    return edit


@both_bindings
def test_a_logout_request_with_an_encrypted_name(deliver: Deliver) -> None:
    message = deliver(edited(request(), hidden(Encryption())))
    ours = replace(EXPECTATION, decryption_keys=(signer("sp").key,))
    result = verify_logout_request(message, ours, now=NOW)
    assert (result.name_id, result.name_id_format) == (VICTIM, EMAIL)
    assert result.session_indexes == ("_session-1",)
    assert Reason.ENC in [step.name for step in result.steps]
    assert refusal(message).reason is Reason.ENC_NOKEY
    others = replace(EXPECTATION, decryption_keys=(signer("sp-other").key,))
    with pytest.raises(SamlError) as refused:
        verify_logout_request(message, others, now=NOW)
    assert refused.value.reason is Reason.ENC


@both_bindings
def test_a_name_encrypted_by_cbc_is_read_only_where_the_connection_allows_it(
    deliver: Deliver,
) -> None:
    message = deliver(edited(request(), hidden(Encryption(cipher=AES_CBC))))
    ours = replace(EXPECTATION, decryption_keys=(signer("sp").key,))
    with pytest.raises(SamlError) as refused:
        verify_logout_request(message, ours, now=NOW)
    assert refused.value.reason is Reason.ENC_ALG
    tolerant = replace(ours, allow_cbc=True)
    assert verify_logout_request(message, tolerant, now=NOW).name_id == VICTIM


def test_an_encrypted_name_that_nobody_signed_is_not_decrypted() -> None:
    ours = replace(EXPECTATION, decryption_keys=(signer("sp").key,))
    message = request()
    encrypt_name_id(message, Encryption())
    with pytest.raises(SamlError) as refused:
        verify_logout_request(etree.tostring(message), ours, now=NOW)
    assert refused.value.reason is Reason.SIG_MISSING


@both_bindings
def test_a_logout_request_for_another_service_provider_is_refused(deliver: Deliver) -> None:
    def edit(root: _Element) -> None:
        next(root.iter(f"{{{SAML}}}NameID")).set("SPNameQualifier", "https://other.example.com")

    error = refusal(deliver(edited(request(), edit)))
    assert (error.reason, error.expected) == (Reason.SAML_SUBJECT, f"a NameID for {AUD}")


@both_bindings
def test_a_logout_request_names_a_hundred_sessions_and_no_more(deliver: Deliver) -> None:
    hundred = tuple(f"_s{number}" for number in range(100))
    assert read_request(deliver(request(session_indexes=hundred))).session_indexes == hundred
    error = refusal(deliver(request(session_indexes=(*hundred, "_more"))))
    assert (error.reason, error.received) == (Reason.SAML_SUBJECT, "101")
    assert refusal(deliver(request(session_indexes=("",)))).reason is Reason.SAML_SUBJECT


def test_the_steps_of_a_refusal_end_with_what_failed() -> None:
    late = NOW + 5 * MINUTE + EXPECTATION.clock_skew + SECOND
    error = refusal(posted(request()), now=late)
    assert [(step.name, step.passed) for step in error.steps] == [
        ("sig.value", True),
        ("saml.issuer", True),
        ("saml.dest", True),
        ("saml.notyet", True),
        ("saml.expired", False),
    ]
