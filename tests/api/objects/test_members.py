from msgspec import to_builtins
from msgspec.structs import replace
from stytch.b2b.models import organizations as sdk

from tests.support.determinism import NOW
from tests.support.full_records import full_record
from vestibule.api.objects.members import MemberObject, member_object
from vestibule.clock import SECOND
from vestibule.domain.members import MemberView
from vestibule.domain.roles import Grant, Source
from vestibule.records import Member
from vestibule.store.interface import MEMBER, MEMBER_EMAIL, REGISTRATION

BLANK = Member(
    member_id="member-test-1",
    project_id="project-test-1",
    organization_id="organization-test-1",
    email_address="ada@example.com",
    status="active",
    created_at=NOW,
    updated_at=NOW,
)


def view(member: Member, **parts: tuple[object, ...]) -> MemberView:
    names = ("emails", "direct_roles", "registrations", "grants")
    return MemberView(member, **{name: parts.get(name, ()) for name in names})  # type: ignore[arg-type]  # tests fill them rightly


def test_fields_are_those_of_the_sdk() -> None:
    assert set(MemberObject.__struct_fields__) == set(sdk.Member.model_fields)


def test_blank_member_reads_in_the_sdk_without_a_null_that_is_not_allowed() -> None:
    shown = to_builtins(member_object(view(BLANK), now=NOW))
    nothing = {name for name, value in shown.items() if value is None}
    assert nothing == {"external_id", "scim_registration", "lock_created_at", "lock_expires_at"}
    assert shown["updated_at"] == "2026-03-05T12:34:56Z"
    sdk.Member.model_validate(shown)


def test_a_lock_is_shown_until_it_is_over() -> None:
    locked = view(replace(BLANK, lock_created_at=NOW - SECOND, lock_expires_at=NOW))
    shown = member_object(locked, now=NOW - 1)
    assert (shown.is_locked, shown.lock_created_at, shown.lock_expires_at) == (
        True,
        "2026-03-05T12:34:55Z",
        "2026-03-05T12:34:56Z",
    )
    over = member_object(locked, now=NOW)
    assert (over.is_locked, over.lock_created_at, over.lock_expires_at) == (False, None, None)


def test_full_member_is_shown_whole() -> None:
    times = ("created_at", "updated_at", "lock_created_at", "lock_expires_at")
    record = replace(full_record(MEMBER), **dict.fromkeys(times, NOW + SECOND))
    emails = (
        full_record(MEMBER_EMAIL, email_id="email-1", retired=False),
        full_record(MEMBER_EMAIL, email_id="email-2", email_address="old@a.com", retired=True),
    )
    registration = full_record(REGISTRATION)
    shown = to_builtins(
        member_object(
            view(
                record,
                emails=emails,
                registrations=(registration,),
                grants=(
                    Grant("stytch_member", (Source("direct_assignment", {}),)),
                    Grant("stytch_admin", (Source("sso_connection", {"connection_id": "c"}),)),
                ),
            ),
            now=NOW,
        )
    )
    sdk.Member.model_validate(shown)
    stored = to_builtins(record)
    assert shown["is_locked"] is True
    assert {shown[name] for name in times} == {"2026-03-05T12:34:57Z"}
    same = shown.keys() & stored.keys() - set(times)
    # Not shown as they are: the four above, whose member it is, how often a wrong code came, and
    # the phone's id, which stands with the factor of a session.
    assert stored.keys() - same == {*times, "project_id", "failed_attempts", "mfa_phone_id"}
    assert {name: shown[name] for name in same} == {name: stored[name] for name in same}
    assert shown["retired_email_addresses"] == (
        {"email_id": "email-2", "email_address": "old@a.com"},
    )
    assert shown["sso_registrations"] == (
        {
            "connection_id": registration.connection_id,
            "external_id": registration.external_id,
            "registration_id": registration.registration_id,
            "sso_attributes": registration.sso_attributes,
        },
    )
    assert shown["roles"] == (
        {"role_id": "stytch_member", "sources": ({"type": "direct_assignment", "details": {}},)},
        {
            "role_id": "stytch_admin",
            "sources": ({"type": "sso_connection", "details": {"connection_id": "c"}},),
        },
    )
    assert shown["is_admin"] is True


def test_member_without_the_admin_role_is_no_admin() -> None:
    grants = (Grant("stytch_member", (Source("direct_assignment", {}),)),)
    assert member_object(view(BLANK, grants=grants), now=NOW).is_admin is False
