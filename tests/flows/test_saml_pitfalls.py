"""The usual mistakes of a SAML connection, each told by its name, with the side and the click.

Each test signs in as an identity provider that is set up in that way answers, and reads the trace.
The mistakes are those of the setup guide (seeds/000) and of semantics section 12.
"""

from typing import Any

import pytest

from tests.support import saml_documents as documents
from tests.support.asgi import Answer
from tests.support.doors import Door
from tests.support.pitfalls import assert_told, change, vendor_door
from tests.support.refusals import traces
from tests.support.saml_keys import NOT_AFTER, NOT_BEFORE, certificate, signer
from tests.support.scenario import IDP_ENTITY, MAPPING, Scenario, token_of
from vestibule import errors
from vestibule.clock import DAY
from vestibule.errors import ErrorType
from vestibule.identity_providers.microsoft_entra import GROUPS
from vestibule.saml.xml import SAMLP

UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
BY_NAME_ID = {"email": "NameID", "first_name": "firstName", "last_name": "lastName"}
TAKEN = "which you take from the console and never from this message"


def response(door: Door, **changes: Any) -> Any:
    """Return an unsigned, unsolicited Response, right in everything but `changes`."""
    values = {
        "issuer": IDP_ENTITY,
        "acs": door.connection["acs_url"],
        "audience": door.connection["audience_uri"],
        "in_response_to": None,
        "now": door.scenario.clock.now(),
        "attributes": {"email": ["ada@acme.test"], "firstName": ["Ada"], "lastName": ["King"]},
        **changes,
    }
    return documents.response_element(**values)


async def post(door: Door, root: Any, signature: documents.Signature | None = None) -> Answer:
    form = documents.form_field(documents.document(root=root, signature=signature))
    return await door.scenario.post_callback(
        door.scenario.browser(), door.connection, {"SAMLResponse": form}
    )


def with_format(root: Any, name_id_format: str) -> Any:
    documents.find(root, "saml:NameID").set("Format", name_id_format)
    return root


async def test_a_name_id_that_is_no_address(scenario: Scenario) -> None:
    door = await vendor_door(scenario, "saml", "okta", attribute_mapping=BY_NAME_ID)
    trace = await assert_told(
        scenario,
        await post(door, with_format(response(door, subject="00u1a2b3"), UNSPECIFIED)),
        error=errors.invalid_saml_response_email,
        reason="invalid_saml_response_email",
        pitfall="nameid-format",
        side="identity_provider",
        fix=(
            "Okta: map email to an attribute that holds the address, or send it as the NameID "
            "(Configure SAML > Name ID format: EmailAddress, Application username: Email)."
        ),
    )
    assert trace.steps[-1].expected == "an e-mail address as the NameID"
    assert trace.steps[-1].received == f"'00u1a2b3' of format {UNSPECIFIED}"


async def test_a_name_id_of_another_format_that_is_an_address_is_good(scenario: Scenario) -> None:
    door = await vendor_door(scenario, "saml", "okta", attribute_mapping=BY_NAME_ID)
    root = with_format(response(door, subject="ada@acme.test"), UNSPECIFIED)
    token_of(await post(door, root))


async def test_a_name_id_that_changes_with_every_login(scenario: Scenario) -> None:
    door = await vendor_door(scenario, "saml", "shibboleth")
    trace = await assert_told(
        scenario,
        await post(door, with_format(response(door, subject="_x1"), TRANSIENT)),
        error=errors.invalid_saml_response,
        reason="invalid_saml_response",
        pitfall="nameid-changes",
        side="identity_provider",
        fix=(
            "Shibboleth: map idp_user_id to an attribute that stays the same, or send such a "
            "NameID (conf/saml-nameid.xml: a generator for emailAddress from mail)."
        ),
    )
    assert trace.steps[-1].received == f"a NameID of format {TRANSIENT}"


def refusal(door: Door, *codes: str, words: str = "") -> Any:
    """Return an identity provider's own refusal: nested status codes, no assertion."""
    root = response(door)
    root.remove(documents.find(root, "saml:Assertion"))
    status = documents.find(root, "samlp:Status")
    for child in list(status):
        status.remove(child)
    nested = "".join(
        f'<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:{code}">' for code in codes
    )
    status.append(documents.fragment(nested + "</samlp:StatusCode>" * len(codes)))
    if words:
        message = documents.fragment("<samlp:StatusMessage/>")
        message.text = words
        status.append(message)
    assert root.tag == f"{{{SAMLP}}}Response"
    return root


async def post_refusal(door: Door, root: Any) -> Answer:
    form = documents.form_field(
        documents.document(
            root=root, sign="response", signature=documents.Signature(key=signer("idp").key)
        )
    )
    return await door.scenario.post_callback(
        door.scenario.browser(), door.connection, {"SAMLResponse": form}
    )


async def test_an_identity_provider_that_cannot_make_the_wanted_name_id(
    scenario: Scenario,
) -> None:
    door = await vendor_door(scenario, "saml", "keycloak")
    trace = await assert_told(
        scenario,
        await post_refusal(door, refusal(door, "Requester", "InvalidNameIDPolicy")),
        error=errors.failed_saml_response,
        reason="saml.status",
        pitfall="nameid-format",
        side="identity_provider",
        fix=(
            "Keycloak: map email to an attribute that holds the address, or send it as the NameID "
            "(Client > Settings > Name ID format: email, Force name ID format: On)."
        ),
    )
    assert trace.steps[-1].received == "Requester InvalidNameIDPolicy"


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        (("Responder", "RequestDenied"), ""),
        (("Responder",), "AADSTS50105: The user is not assigned to a role for the application."),
    ],
)
async def test_a_person_who_is_not_assigned(
    scenario: Scenario, codes: tuple[str, ...], words: str
) -> None:
    door = await vendor_door(scenario, "saml", "microsoft-entra")
    await assert_told(
        scenario,
        await post_refusal(door, refusal(door, *codes, words=words)),
        error=errors.failed_saml_response,
        reason="saml.status",
        pitfall="user-not-assigned",
        side="identity_provider",
        fix=(
            "Microsoft Entra ID: assign the person, or one of their groups, to the application "
            "(Users and groups > Add user/group)."
        ),
    )


async def test_another_refusal_of_the_identity_provider_has_no_name(scenario: Scenario) -> None:
    door = await vendor_door(scenario, "saml", "okta")
    answer = await post_refusal(door, refusal(door, "Responder", "AuthnFailed"))
    assert answer.status == 400
    (trace,) = await traces(scenario)
    assert (trace.reason, trace.steps[-1].pitfall) == ("saml.status", "")


async def test_an_attribute_that_was_not_sent(scenario: Scenario) -> None:
    door = await vendor_door(scenario, "saml", "microsoft-entra")
    schemas = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
    sent = {f"{schemas}/emailaddress": ["ada@acme.test"], f"{schemas}/surname": ["King"]}
    trace = await assert_told(
        scenario,
        await post(door, response(door, attributes=sent)),
        error=errors.invalid_saml_response_email,
        reason="invalid_saml_response_email",
        pitfall="attribute-not-sent",
        side="identity_provider",
        fix=(
            "Microsoft Entra ID: change the connection's attribute_mapping to a name that was "
            "received, or send the attribute under the mapped name (Attributes & Claims > "
            "Additional claims)."
        ),
    )
    assert trace.steps[-1].expected == "email, mapped to email"
    assert trace.steps[-1].received == f"{schemas}/emailaddress, {schemas}/surname"


async def test_many_other_attributes_are_told_in_part(scenario: Scenario) -> None:
    door = await vendor_door(scenario, "saml", "okta")
    answer = await post(door, response(door, attributes={f"a{n:02}": ["x"] for n in range(12)}))
    assert answer.status == 400
    (trace,) = await traces(scenario)
    assert trace.steps[-1].received.endswith("a08, a09 and 2 more")


def signed_by(name: str, *, not_before: int) -> documents.Signature:
    """Return a signature that shows a certificate of these years."""
    key = signer(name).key
    pem = certificate(name, not_before=not_before, not_after=NOT_AFTER, key=key)
    return documents.Signature(key=key, certificate_pem=pem)


async def test_metadata_that_is_stale_because_the_certificate_was_renewed(
    scenario: Scenario,
) -> None:
    door = await vendor_door(scenario, "saml", "okta")
    renewed = signed_by("renewed", not_before=scenario.clock.now() - DAY)
    trace = await assert_told(
        scenario,
        await post(door, response(door), renewed),
        error=errors.invalid_signature_saml_response,
        reason="sig.value",
        pitfall="stale-metadata",
        side="vestibule",
        fix=(
            "Okta: the signing certificate was renewed: read the metadata again or upload the new "
            f"certificate, {TAKEN} (Sign On > Metadata URL)."
        ),
    )
    failed = trace.steps[-1]
    assert failed.expected.startswith("a signature by certificate ")
    assert failed.expected.endswith("… of 2000-01-01")
    assert failed.received.endswith("… of 2026-03-04")


async def test_one_of_several_certificates_that_is_not_the_active_one(scenario: Scenario) -> None:
    door = await vendor_door(scenario, "saml", "google-workspace")
    newer = certificate(
        "idp", not_before=NOT_BEFORE + DAY, not_after=NOT_AFTER, key=signer("newer").key
    )
    await change(door, x509_certificate=newer)
    active = signed_by("active", not_before=NOT_BEFORE)
    trace = await assert_told(
        scenario,
        await post(door, response(door), active),
        error=errors.invalid_signature_saml_response,
        reason="sig.value",
        pitfall="wrong-certificate",
        side="vestibule",
        fix=(
            "Google Workspace: another of its certificates is the active signing certificate: "
            f"upload that one, {TAKEN} (Option 2 > Certificate)."
        ),
    )
    assert " or certificate " in trace.steps[-1].expected


async def test_a_signature_that_shows_a_pinned_certificate_or_none_has_no_name(
    scenario: Scenario,
) -> None:
    """A message that was changed is not the fault of a certificate."""
    door = await vendor_door(scenario, "saml", "okta")
    other = signer("other").key
    for shown in (signer("idp").pem, None):
        signature = documents.Signature(key=other, certificate_pem=shown)
        assert (await post(door, response(door), signature)).status == 400
    found = await traces(scenario)
    assert [(trace.reason, trace.steps[-1].pitfall) for trace in found] == [("sig.value", "")] * 2


async def test_an_issuer_that_is_not_exact(scenario: Scenario) -> None:
    door = await vendor_door(scenario, "saml", "okta")
    trace = await assert_told(
        scenario,
        await post(door, response(door, issuer=f"{IDP_ENTITY}/")),
        error=errors.invalid_saml_response,
        reason="saml.issuer",
        pitfall="issuer-not-exact",
        side="vestibule",
        fix=(
            "Okta: enter the issuer into the connection exactly as the console shows it, to the "
            "last slash (Sign On > More details > Issuer)."
        ),
    )
    assert (trace.steps[-1].expected, trace.steps[-1].received) == (IDP_ENTITY, f"{IDP_ENTITY}/")


@pytest.mark.parametrize(
    ("field", "reason", "error", "pitfall", "fix"),
    [
        (
            "acs",
            "saml.dest",
            errors.invalid_saml_response,
            "acs-url-mismatch",
            (
                "Duo: enter the connection's acs_url as it is, character by character (Service "
                "Provider > ACS URL)."
            ),
        ),
        (
            "audience",
            "saml.aud",
            errors.invalid_audience_saml_response,
            "audience-mismatch",
            (
                "Duo: enter the connection's audience_uri as it is, character by character "
                "(Service Provider > Entity ID)."
            ),
        ),
    ],
)
async def test_a_value_of_ours_that_was_copied_wrong(
    scenario: Scenario, field: str, *, reason: str, error: ErrorType, pitfall: str, fix: str
) -> None:
    door = await vendor_door(scenario, "saml", "duo")
    root = response(door, **{field: f"{door.connection['acs_url']}/"})
    await assert_told(
        scenario,
        await post(door, root),
        error=error,
        reason=reason,
        pitfall=pitfall,
        side="identity_provider",
        fix=fix,
    )


async def test_another_identity_provider_is_no_inexact_issuer(scenario: Scenario) -> None:
    door = await vendor_door(scenario, "saml", "okta")
    for issuer in ("https://evil.example.com/metadata", "urn:evil", "https://[::1/metadata", ""):
        assert (await post(door, response(door, issuer=issuer))).status == 400
    found = await traces(scenario)
    assert {(trace.reason, trace.steps[-1].pitfall) for trace in found} == {("saml.issuer", "")}


async def test_a_sign_in_at_rippling_that_names_a_request(scenario: Scenario) -> None:
    """Rippling sends an InResponseTo with what it began itself (semantics 12, rippling)."""
    door = await vendor_door(scenario, "saml", "rippling")
    answer = await post(door, response(door, in_response_to="_of-nobody"))
    await assert_told(
        scenario,
        answer,
        error=errors.missing_saml_relay_state,
        reason="missing_saml_relay_state",
        pitfall="answers-no-request",
        side="identity_provider",
        fix=(
            "Rippling: a sign-in that begins at the identity provider must not name a request "
            "(Advanced SAML settings > Disable InResponseTo for IdP-initiated SSO)."
        ),
    )


async def test_an_unknown_request_at_other_vendors_is_for_the_person(scenario: Scenario) -> None:
    door = await vendor_door(scenario, "saml", "okta")
    assert (await post(door, response(door, in_response_to="_of-nobody"))).status == 400
    (trace,) = await traces(scenario)
    assert (trace.side, trace.steps[-1].pitfall) == ("user", "")


async def test_too_many_groups_are_told_and_count_as_not_sent(scenario: Scenario) -> None:
    """Above 150 groups Entra sends a link in their place.

    https://learn.microsoft.com/entra/identity-platform/reference-saml-tokens
    """
    mapping = {**MAPPING, "groups": GROUPS}
    door = await vendor_door(scenario, "saml", "microsoft-entra", attribute_mapping=mapping)
    role = {"role_id": "stytch_admin", "group": "g-1"}
    await change(door, saml_group_implicit_role_assignments=[role])
    person = {"email": ["ada@acme.test"], "firstName": ["Ada"], "lastName": ["King"]}
    await scenario.authenticate(
        token_of(await post(door, response(door, attributes={**person, GROUPS: ["g-1"]})))
    )
    link = "http://schemas.microsoft.com/claims/groups.link"
    many = {**person, link: ["https://graph.windows.net/t/users/u/getMemberObjects"]}
    result = await scenario.authenticate(
        token_of(
            await post(door, response(door, attributes=many, assertion_id="_2", response_id="_3"))
        )
    )
    assert "stytch_admin" in result["member_session"]["roles"]
    (trace,) = (each for each in await traces(scenario) if each.steps[-1].pitfall)
    assert (trace.outcome, trace.side) == ("succeeded", "")
    note = trace.steps[-1]
    assert (note.name, note.pitfall, note.passed) == ("groups", "too-many-groups", True)
    assert note.fix == (
        "Microsoft Entra ID: the person is in too many groups, so none were sent: send only those "
        "that this application needs (Attributes & Claims > Add a group claim > Groups assigned "
        "to the application)."
    )
