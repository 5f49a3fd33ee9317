from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from tests.support.determinism import NOW
from vestibule.domain import roles
from vestibule.domain.policy import PROJECT_POLICY
from vestibule.domain.roles import Grant, Source, session_roles
from vestibule.records import (
    Connection,
    EmailRoleAssignment,
    ExternalConfiguration,
    Factor,
    Given,
    GroupRoleAssignment,
    Member,
    MemberRole,
    OidcConfiguration,
    Organization,
    Registration,
    Role,
    SamlConfiguration,
)

OWN: dict[str, Any] = {"project_id": "project-test-1", "organization_id": "organization-test-1"}
TIMES: dict[str, Any] = {"created_at": NOW, "updated_at": NOW}
ORGANIZATION = Organization(
    **OWN,
    **TIMES,
    organization_name="Acme",
    organization_slug="acme",
    custom_roles=(Role(role_id="editor"), Role(role_id="viewer")),
)
MEMBER = Member(
    **OWN, **TIMES, member_id="member-1", email_address="Ada@Example.com", status="active"
)
SAML = Connection(
    **OWN,
    **TIMES,
    connection_id="saml-1",
    protocol="saml",
    display_name="",
    status="active",
    saml=SamlConfiguration(
        connection_roles=("viewer",),
        group_roles=(
            GroupRoleAssignment(role_id="editor", group="eng"),
            GroupRoleAssignment(role_id="stytch_admin", group="Eng"),
        ),
    ),
)
REGISTRATION = Registration(
    **OWN,
    **TIMES,
    registration_id="registration-1",
    member_id="member-1",
    connection_id="saml-1",
    external_id="ada",
    groups=("eng", "all"),
)
FACTOR = Factor(
    type="sso",
    delivery_method="sso_saml",
    details_name="saml_sso_factor",
    details={"id": "registration-1", "provider_id": "saml-1", "external_id": "ada"},
    last_authenticated_at=NOW,
    created_at=NOW,
    updated_at=NOW,
)
GIVEN = Given(given_at=NOW + 5, actor_type="operator", actor_id="root", request_id="r-1")
EVERYBODY = Grant("stytch_member", (Source("direct_assignment", {}),))


def member_grants(
    organization: Organization, member: Member, direct: Sequence[str], *more: Any, **changes: Any
) -> tuple[Grant, ...]:
    rows = [MemberRole(**OWN, member_id="member-1", role_id=each, given=GIVEN) for each in direct]
    return roles.member_grants(organization, member, rows, *more, policy=PROJECT_POLICY, **changes)


def test_every_member_holds_stytch_member() -> None:
    assert member_grants(ORGANIZATION, MEMBER, (), (), ()) == (EVERYBODY,)


def test_direct_roles_come_by_direct_assignment() -> None:
    grants = member_grants(ORGANIZATION, MEMBER, ("editor", "stytch_member"), (), ())
    assert grants == (EVERYBODY, Grant("editor", (Source("direct_assignment", {}),)))


def test_role_that_the_policy_does_not_know_grants_nothing() -> None:
    organization = replace(
        ORGANIZATION,
        rbac_email_implicit_role_assignments=(
            EmailRoleAssignment(domain="example.com", role_id="gone"),
        ),
    )
    assert member_grants(organization, MEMBER, ("gone",), (), ()) == (EVERYBODY,)


def test_email_domain_grants_roles_to_its_addresses_alone() -> None:
    organization = replace(
        ORGANIZATION,
        rbac_email_implicit_role_assignments=(
            EmailRoleAssignment(domain="example.com", role_id="editor"),
        ),
    )
    source = Source("email_assignment", {"email_domain": "example.com"})
    assert member_grants(organization, MEMBER, (), (), ()) == (
        EVERYBODY,
        Grant("editor", (source,)),
    )
    for address in ("ada@sub.example.com", "ada@example.com.evil.org", "ada@badexample.com"):
        other = replace(MEMBER, email_address=address)
        assert member_grants(organization, other, (), (), ()) == (EVERYBODY,), address


def test_connection_grants_roles_by_registration_and_by_exact_group() -> None:
    grants = member_grants(ORGANIZATION, MEMBER, (), (REGISTRATION,), (SAML,))
    by_group = Source("sso_connection_group", {"connection_id": "saml-1", "group": "eng"})
    assert grants == (
        EVERYBODY,
        Grant("editor", (by_group,)),
        Grant("viewer", (Source("sso_connection", {"connection_id": "saml-1"}),)),
    )


def test_groups_that_were_not_sent_grant_nothing() -> None:
    for groups in (None, ()):
        registration = replace(REGISTRATION, groups=groups)
        grants = member_grants(ORGANIZATION, MEMBER, (), (registration,), (SAML,))
        assert [grant.role_id for grant in grants] == ["stytch_member", "viewer"]


def test_external_connection_grants_its_own_roles() -> None:
    external = ExternalConfiguration(
        external_organization_id="organization-test-2",
        external_connection_id="saml-2",
        connection_roles=("editor",),
    )
    connection = replace(SAML, protocol="external", saml=None, external=external)
    grants = member_grants(ORGANIZATION, MEMBER, (), (REGISTRATION,), (connection,))
    assert [grant.role_id for grant in grants] == ["stytch_member", "editor"]


def test_oidc_connection_grants_by_connection_and_by_group() -> None:
    """Groups are compared as they are; the name that people see beside an id never counts."""
    assert SAML.saml is not None
    named = GroupRoleAssignment(role_id="stytch_admin", group="0d1f", display_name="eng")
    oidc = OidcConfiguration(
        connection_roles=("viewer",), group_roles=(*SAML.saml.group_roles, named)
    )
    connection = replace(SAML, protocol="oidc", saml=None, oidc=oidc)
    same = member_grants(ORGANIZATION, MEMBER, (), (REGISTRATION,), (connection,))
    assert same == member_grants(ORGANIZATION, MEMBER, (), (REGISTRATION,), (SAML,))
    by_id = replace(REGISTRATION, groups=("0d1f",))
    grants = member_grants(ORGANIZATION, MEMBER, (), (by_id,), (connection,))
    assert [grant.role_id for grant in grants] == ["stytch_member", "stytch_admin", "viewer"]
    assert grants[1].sources == (
        Source("sso_connection_group", {"connection_id": "saml-1", "group": "0d1f"}),
    )


def test_a_connection_without_roles_and_an_unknown_one_grant_nothing() -> None:
    oidc = replace(SAML, protocol="oidc", saml=None, oidc=OidcConfiguration())
    for connections in ((), (oidc,)):
        grants = member_grants(ORGANIZATION, MEMBER, (), (REGISTRATION,), connections)
        assert grants == (EVERYBODY,)


def test_every_source_of_a_role_is_named_once() -> None:
    organization = replace(
        ORGANIZATION,
        rbac_email_implicit_role_assignments=(
            EmailRoleAssignment(domain="example.com", role_id="editor"),
        ),
    )
    direct = ("editor", "editor")
    grants = member_grants(organization, MEMBER, direct, (REGISTRATION,), (SAML,))
    assert [source.type for source in grants[1].sources] == [
        "direct_assignment",
        "email_assignment",
        "sso_connection_group",
    ]


def test_session_holds_sso_roles_only_with_a_factor_of_that_connection() -> None:
    grants = member_grants(ORGANIZATION, MEMBER, ("viewer",), (REGISTRATION,), (SAML,))
    other = replace(FACTOR, details={**FACTOR.details, "provider_id": "saml-2"})
    assert session_roles(grants, ()) == ("stytch_member", "viewer")
    assert session_roles(grants, (other,)) == ("stytch_member", "viewer")
    assert session_roles(grants, (other, FACTOR)) == ("stytch_member", "editor", "viewer")


def test_factor_without_a_connection_proves_none() -> None:
    grants = member_grants(ORGANIZATION, MEMBER, (), (REGISTRATION,), (SAML,))
    email = replace(FACTOR, type="magic_link", details={"email_id": "email-1"})
    assert session_roles(grants, (email,)) == ("stytch_member",)


# The ledger ------------------------------------------------------------------------------------


def only(grants: tuple[Grant, ...], role_id: str) -> Source:
    (source,) = next(grant.sources for grant in grants if grant.role_id == role_id)
    return source


def test_everybody_holds_stytch_member_since_it_was_made() -> None:
    source = only(member_grants(ORGANIZATION, MEMBER, (), (), ()), "stytch_member")
    assert (source.given, source.since) == (Given(), NOW)


def test_direct_role_is_held_since_it_was_given() -> None:
    source = only(member_grants(ORGANIZATION, MEMBER, ("editor",), (), ()), "editor")
    assert (source.given, source.since) == (GIVEN, NOW + 5)


def test_role_of_a_domain_is_held_since_the_later_of_assignment_and_address() -> None:
    assignment = EmailRoleAssignment(domain="example.com", role_id="editor", given=GIVEN)
    organization = replace(ORGANIZATION, rbac_email_implicit_role_assignments=(assignment,))
    for address_since, since in ((NOW, NOW + 5), (NOW + 9, NOW + 9), (0, 0)):
        grants = member_grants(organization, MEMBER, (), (), (), address_since=address_since)
        source = only(grants, "editor")
        assert (source.given, source.since) == (GIVEN, since)


def test_role_of_a_connection_is_held_since_the_later_of_assignment_and_registration() -> None:
    saml = SamlConfiguration(connection_roles=("viewer",), connection_roles_given={"viewer": GIVEN})
    connection = replace(SAML, saml=saml)
    for created_at, since in ((NOW, NOW + 5), (NOW + 9, NOW + 9)):
        registration = replace(REGISTRATION, created_at=created_at)
        source = only(
            member_grants(ORGANIZATION, MEMBER, (), (registration,), (connection,)), "viewer"
        )
        assert (source.given, source.since) == (GIVEN, since)


def test_role_of_a_group_is_held_since_the_later_of_assignment_and_group() -> None:
    assignment = GroupRoleAssignment(role_id="editor", group="eng", given=GIVEN)
    connection = replace(SAML, saml=SamlConfiguration(group_roles=(assignment,)))
    for sent, since in (({"eng": NOW}, NOW + 5), ({"eng": NOW + 9}, NOW + 9), ({}, 0)):
        registration = replace(REGISTRATION, groups_since=sent)
        source = only(
            member_grants(ORGANIZATION, MEMBER, (), (registration,), (connection,)), "editor"
        )
        assert (source.given, source.since) == (GIVEN, since)


def test_what_was_given_before_the_ledger_is_held_since_nobody_knows_when() -> None:
    grants = member_grants(ORGANIZATION, MEMBER, (), (REGISTRATION,), (SAML,))
    assert [only(grants, role_id).since for role_id in ("viewer", "editor")] == [0, 0]
