from vestibule.api.objects.sessions import session_object
from vestibule.clock import SECOND
from vestibule.records import Factor, Organization, Session

AT = 1_772_714_096 * SECOND
WRITTEN = "2026-03-05T12:34:56Z"


def test_a_session_is_shown_as_the_contract_has_it() -> None:
    factor = Factor(
        type="otp",
        delivery_method="sms",
        details_name="phone_number_factor",
        details={"phone_id": "phone-number-1", "phone_number": "+12025550162"},
        sequence_order="SECONDARY",
        last_authenticated_at=AT,
        created_at=AT,
        updated_at=AT,
    )
    password = Factor(
        type="password",
        delivery_method="knowledge",
        details_name="",
        details={},
        last_authenticated_at=AT,
        created_at=AT,
        updated_at=AT,
    )
    session = Session(
        session_id="session-1",
        token_id="t",
        secret_hash=b"",
        sealed_token=b"",
        project_id="p",
        organization_id="organization-1",
        member_id="member-1",
        factors=(factor, password),
        custom_claims={"a": [1]},
        started_at=AT,
        last_accessed_at=AT + SECOND - 1,
        expires_at=AT + SECOND,
    )
    organization = Organization(
        organization_id="organization-1",
        project_id="p",
        organization_name="Acme",
        organization_slug="acme",
        created_at=0,
        updated_at=0,
    )
    shown = session_object(session, organization, ("stytch_member", "stytch_admin"))
    assert shown.member_session_id == "session-1"
    assert shown.member_id == "member-1"
    assert shown.organization_id == "organization-1"
    assert shown.organization_slug == "acme"
    assert (shown.started_at, shown.last_accessed_at) == (WRITTEN, WRITTEN)
    assert shown.expires_at == "2026-03-05T12:34:57Z"
    assert shown.roles == ["stytch_member", "stytch_admin"]
    assert shown.custom_claims == {"a": [1]}
    times = {"last_authenticated_at": WRITTEN, "created_at": WRITTEN, "updated_at": WRITTEN}
    assert shown.authentication_factors == [
        {
            "type": "otp",
            "delivery_method": "sms",
            "sequence_order": "SECONDARY",
            "phone_number_factor": {
                "phone_id": "phone-number-1",
                "phone_number": "+12025550162",
            },
            **times,
        },
        {
            "type": "password",
            "delivery_method": "knowledge",
            "sequence_order": "PRIMARY",
            **times,
        },
    ]
