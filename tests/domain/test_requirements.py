"""What an organization demands of a login; tests/flows goes through each rule over HTTP."""

from typing import Any

import pytest
from msgspec.structs import replace

from vestibule import errors
from vestibule.clock import SECOND
from vestibule.domain import requirements
from vestibule.errors import Failure
from vestibule.records import Factor, Member, Organization

COMMON: Any = {"organization_id": "o", "project_id": "p", "created_at": 0, "updated_at": 0}
ACME = Organization(**COMMON, organization_name="", organization_slug="")
ADA = Member(**COMMON, member_id="m", email_address="", status="active")
SSO = Factor(
    type="sso",
    delivery_method="sso_oidc",
    details_name="",
    details={},
    last_authenticated_at=1,
    created_at=1,
    updated_at=1,
)
LINK = replace(SSO, type="magic_link", delivery_method="email")
SMS = replace(SSO, type="otp", delivery_method="sms", sequence_order="SECONDARY")


def restricted(*methods: str) -> Organization:
    return replace(ACME, auth_methods="RESTRICTED", allowed_auth_methods=methods)


def refusal(organization: Organization, member: Member | None, *, now: int) -> Failure:
    with pytest.raises(Failure) as caught:
        requirements.require_standing(organization, member, now=now)
    return caught.value


def test_nobody_logs_in_to_a_suspended_organization() -> None:
    suspended = replace(ACME, suspended_at=1)
    for member in (ADA, None, replace(ADA, is_breakglass=True)):
        requirements.require_standing(ACME, member, now=1)
        assert refusal(suspended, member, now=5).error is errors.organization_suspended


def test_a_lock_lasts_until_it_ends() -> None:
    locked = replace(ADA, lock_created_at=1, lock_expires_at=10 * SECOND)
    failure = refusal(ACME, locked, now=10 * SECOND - 1)
    assert failure.error is errors.user_lock_limit_reached
    assert "1970-01-01T00:00:10Z" in failure.message
    assert failure.retry_after == 1
    assert refusal(ACME, locked, now=0).retry_after == 11
    requirements.require_standing(ACME, locked, now=10 * SECOND)


@pytest.mark.parametrize(
    ("organization", "breakglass", "allowed"),
    [
        (ACME, False, True),
        (restricted("sso"), False, True),
        (restricted("password", "sso"), False, True),
        (restricted("password"), False, False),
        (restricted("password"), True, True),
    ],
)
def test_which_methods_are_allowed(
    organization: Organization, breakglass: bool, allowed: bool
) -> None:
    member = replace(ADA, is_breakglass=breakglass)
    assert requirements.allows(organization, member, "sso") is allowed
    assert requirements.has_primary(organization, member, [SSO]) is allowed
    if not breakglass:
        assert requirements.allows(organization, None, "sso") is allowed


def test_a_primary_factor_is_of_an_allowed_method() -> None:
    assert not requirements.has_primary(ACME, ADA, [])
    assert not requirements.has_primary(ACME, ADA, [SMS])
    assert requirements.has_primary(ACME, ADA, [SMS, LINK])
    assert requirements.has_primary(restricted("magic_link"), ADA, [SSO, LINK])
    assert not requirements.has_primary(restricted("magic_link"), ADA, [SSO])


@pytest.mark.parametrize(
    ("policy", "enrolled", "factors", "needs"),
    [
        ("OPTIONAL", False, [SSO], False),
        ("OPTIONAL", True, [SSO], True),
        ("OPTIONAL", True, [SSO, SMS], False),
        ("REQUIRED_FOR_ALL", False, [SSO], True),
        ("REQUIRED_FOR_ALL", False, [SSO, LINK], True),
        ("REQUIRED_FOR_ALL", True, [SSO, SMS], False),
    ],
)
def test_who_needs_a_second_factor(
    policy: str, enrolled: bool, factors: list[Factor], needs: bool
) -> None:
    organization = replace(ACME, mfa_policy=policy)
    member = replace(ADA, mfa_enrolled=enrolled)
    assert requirements.needs_second(organization, member, factors) is needs
