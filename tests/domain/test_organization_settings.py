"""The rules of one organization's settings, without a database."""

from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.determinism import NOW
from vestibule import errors
from vestibule.domain import organization_settings
from vestibule.domain.policy import PROJECT_POLICY
from vestibule.errors import ErrorType, Failure
from vestibule.records import EmailRoleAssignment, Organization, Role

ORGANIZATION = Organization(
    organization_id="organization-test-1",
    project_id="project-test-1",
    organization_name="Acme",
    organization_slug="acme",
    created_at=NOW,
    updated_at=NOW,
)


def apply(organization: Organization, changes: dict[str, Any]) -> Organization:
    return organization_settings.apply(organization, changes, PROJECT_POLICY)


def refusal(changes: dict[str, Any], organization: Organization = ORGANIZATION) -> Failure:
    with pytest.raises(Failure) as caught:
        apply(organization, changes)
    return caught.value


GOOD = [
    ("organization_name", "x" * 128),
    ("organization_slug", "A-z.0_9~"),
    ("organization_slug", "organization-test-acme"),
    ("organization_slug", "x" * 128),
    ("organization_external_id", "A.b_c-0|9"),
    ("organization_external_id", None),
    ("organization_logo_url", ""),
    ("organization_logo_url", "https://example.com/" + "x" * 4076),
    ("organization_logo_url", "HTTP://bücher.example:8080/ä.svg?a=(1)&b=[2]#c"),
    ("email_allowed_domains", ("b.com", "a.com")),
    ("email_allowed_domains", ()),
    ("claimed_email_domains", ("a.com",)),
    ("allowed_auth_methods", ("sso", "password")),
    ("allowed_mfa_methods", ("totp", "sms_otp")),
    ("mfa_policy", "REQUIRED_FOR_ALL"),
    ("allowed_oauth_tenants", {"slack": ["T1"], "hubspot": [], "github": ["1", "2"]}),
    ("allowed_oauth_tenants", None),
    ("allowed_first_party_connected_apps", ("app-1",)),
]


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_good_value_is_taken_as_it_is(name: str, value: object) -> None:
    assert getattr(apply(ORGANIZATION, {name: value}), name) == value


BAD = [
    ("organization_name", "", errors.organization_name_missing),
    ("organization_name", " \t", errors.organization_name_missing),
    ("organization_name", "x" * 129, errors.invalid_organization_name),
    ("organization_slug", "a", errors.invalid_organization_slug),
    ("organization_slug", "x" * 129, errors.invalid_organization_slug),
    ("organization_slug", "a b", errors.invalid_organization_slug),
    ("organization_slug", "acme\n", errors.invalid_organization_slug),
    ("organization_slug", "ac/me", errors.invalid_organization_slug),
    ("organization_slug", "äcme", errors.invalid_organization_slug),
    ("organization_external_id", "", errors.invalid_organization_external_id),
    ("organization_external_id", "x" * 129, errors.invalid_organization_external_id),
    ("organization_external_id", "a~b", errors.invalid_organization_external_id),
    ("organization_logo_url", "x" * 4097, errors.organization_logo_url_too_long),
    ("trusted_metadata", {str(n): n for n in range(21)}, errors.metadata_too_many_keys),
    ("trusted_metadata", {"a": "x" * 4096}, errors.metadata_too_large),
    ("email_allowed_domains", ["no"], errors.organization_settings_invalid_domain),
    ("email_allowed_domains", ["gmail.com"], errors.organization_settings_domain_too_common),
    ("email_allowed_domains", ["a.com", "A.com"], errors.organization_settings_duplicate_domain),
    ("claimed_email_domains", ["no"], errors.organization_settings_invalid_claimed_domain),
    (
        "claimed_email_domains",
        ["gmail.com"],
        errors.organization_settings_claimed_domain_too_common,
    ),
    (
        "claimed_email_domains",
        ["a.com", "a.com"],
        errors.organization_settings_duplicate_claimed_domain,
    ),
    ("allowed_auth_methods", ["sso", "fax"], errors.invalid_organization_allowed_auth_methods),
    ("allowed_mfa_methods", ["sms"], errors.invalid_organization_allowed_mfa_methods),
    ("mfa_policy", "SOMETIMES", errors.invalid_organization_mfa_policy),
    ("allowed_oauth_tenants", {"gitlab": []}, errors.invalid_oauth_allowed_tenants_format),
    ("allowed_oauth_tenants", {"slack": "T1"}, errors.invalid_oauth_allowed_tenants_format),
    ("allowed_oauth_tenants", {"slack": [1]}, errors.invalid_oauth_allowed_tenants_format),
]


@pytest.mark.parametrize(("name", "value", "error"), BAD)
def test_bad_value_is_refused(name: str, value: object, error: ErrorType) -> None:
    failure = refusal({name: value})
    assert failure.error is error
    assert name in failure.message or name == "trusted_metadata"


ID = "organization-test-01960000-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("organization_slug", errors.invalid_organization_slug),
        ("organization_external_id", errors.invalid_organization_external_id),
    ],
)
def test_name_in_the_form_of_an_id_is_refused(name: str, error: ErrorType) -> None:
    assert refusal({name: ID}).error is error


def assignment(domain: str, role_id: str) -> EmailRoleAssignment:
    return EmailRoleAssignment(domain=domain, role_id=role_id)


def test_email_roles_are_read_with_their_domain_in_canonical_form() -> None:
    organization = replace(ORGANIZATION, custom_roles=(Role(role_id="editor"),))
    given = (
        assignment("Example.com", "editor"),
        assignment("example.com", "editor"),
        assignment("example.com", "stytch_admin"),
    )
    changed = apply(organization, {"rbac_email_implicit_role_assignments": given})
    assert changed.rbac_email_implicit_role_assignments == given[1:]


@pytest.mark.parametrize(
    ("domain", "role_id", "error"),
    [
        ("example.com", "editor", errors.invalid_role),
        ("example.com", "stytch_member", errors.invalid_role),
        ("example", "stytch_admin", errors.rbac_invalid_domain),
        ("gmail.com", "stytch_admin", errors.rbac_domain_too_common),
    ],
)
def test_bad_email_role_is_refused(domain: str, role_id: str, error: ErrorType) -> None:
    given = (assignment(domain, role_id),)
    failure = refusal({"rbac_email_implicit_role_assignments": given})
    assert failure.error is error
    assert failure.message.startswith("rbac_email_implicit_role_assignments: ")


def test_a_long_name_of_an_email_role_is_not_said_back_whole() -> None:
    given = (assignment("example.com", "r" * 1_000),)
    failure = refusal({"rbac_email_implicit_role_assignments": given})
    assert failure.error is errors.invalid_role
    assert failure.message.endswith(f": no role is named {'r' * 128!r}.")


def test_repeated_names_are_kept_once() -> None:
    changed = apply(
        ORGANIZATION,
        {
            "allowed_auth_methods": ["sso", "sso", "password"],
            "allowed_third_party_connected_apps": ["b", "a", "b"],
        },
    )
    assert changed.allowed_auth_methods == ("sso", "password")
    assert changed.allowed_third_party_connected_apps == ("b", "a")


def test_list_is_replaced_whole_and_metadata_merged() -> None:
    before = replace(
        ORGANIZATION,
        email_allowed_domains=("a.com", "b.com"),
        trusted_metadata={"a": 1, "b": 2},
    )
    changes = {"email_allowed_domains": ["c.com"], "trusted_metadata": {"b": None, "c": 3}}
    after = apply(before, changes)
    assert after.email_allowed_domains == ("c.com",)
    assert after.trusted_metadata == {"a": 1, "c": 3}


CLOSED = {
    "sso_jit_provisioning": "NOT_ALLOWED",
    "email_jit_provisioning": "NOT_ALLOWED",
    "email_invites": "NOT_ALLOWED",
}
TENANTS = {"oauth_tenant_jit_provisioning": "RESTRICTED"}
INCONSISTENT = [
    (CLOSED, errors.invalid_organization_auth_factor_setting),
    ({"auth_methods": "RESTRICTED"}, errors.allowed_auth_methods_required_for_restricted),
    ({"mfa_methods": "RESTRICTED"}, errors.allowed_mfa_methods_required_for_restricted),
    ({"email_invites": "RESTRICTED"}, errors.invalid_restricted_email_setting),
    ({"email_jit_provisioning": "RESTRICTED"}, errors.invalid_restricted_email_setting),
    ({"sso_jit_provisioning": "RESTRICTED"}, errors.invalid_restricted_sso_setting),
    (TENANTS, errors.invalid_restricted_oauth_tenants_setting),
    (
        {**TENANTS, "allowed_oauth_tenants": {"slack": []}},
        errors.invalid_restricted_oauth_tenants_setting,
    ),
]


@pytest.mark.parametrize(("changes", "error"), INCONSISTENT)
def test_settings_that_do_not_fit_together_are_refused(
    changes: dict[str, Any], error: ErrorType
) -> None:
    assert refusal(changes).error is error


@pytest.mark.parametrize(
    ("setting", "list_name", "value"),
    [
        ("auth_methods", "allowed_auth_methods", ["sso"]),
        ("mfa_methods", "allowed_mfa_methods", ["totp"]),
        ("email_invites", "email_allowed_domains", ["a.com"]),
        ("email_jit_provisioning", "email_allowed_domains", ["a.com"]),
        ("sso_jit_provisioning", "sso_jit_provisioning_allowed_connections", ["saml-1"]),
        ("oauth_tenant_jit_provisioning", "allowed_oauth_tenants", {"slack": ["T1"]}),
    ],
)
def test_restriction_stands_with_its_list_and_falls_without(
    setting: str, list_name: str, value: list[str] | dict[str, list[str]]
) -> None:
    restricted = apply(ORGANIZATION, {setting: "RESTRICTED", list_name: value})
    assert getattr(restricted, setting) == "RESTRICTED"
    # The rule is about the state afterwards: the list alone cannot be emptied now.
    empty: list[str] | dict[str, list[str]] = type(value)()
    assert "RESTRICTED" in refusal({list_name: empty}, restricted).message
    opened = apply(restricted, {setting: "NOT_ALLOWED", list_name: empty})
    assert getattr(opened, setting) == "NOT_ALLOWED"


@pytest.mark.parametrize("name", CLOSED)
def test_one_way_in_is_enough(name: str) -> None:
    changes = {**CLOSED, name: "RESTRICTED"}
    lists = {
        "email_allowed_domains": ["a.com"],
        "sso_jit_provisioning_allowed_connections": ["saml-1"],
    }
    assert getattr(apply(ORGANIZATION, {**changes, **lists}), name) == "RESTRICTED"


@pytest.mark.case("AD-15", "AD-17")
@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)//https://example.com",
        "java\tscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "data:image/svg+xml,<svg onload=alert(1)>",
        "//example.com/logo.png",
        "/logo.png",
        "ftp://example.com/logo.png",
        "https://",
        " https://example.com/logo.png",
        "https://example.com/logo.png\r\nSet-Cookie: evil=1",
        "https://example.com/logo.png\n",
        'https://example.com/" onerror="alert(1)',
        "https://example.com/'onerror='alert(1)'",
        "https://example.com/<script>",
        "https:\\\\example.com",
        "https://example.com/\u2028",
    ],
)
def test_logo_is_the_address_of_a_picture_and_nothing_else(url: str) -> None:
    failure = refusal({"organization_logo_url": url})
    assert failure.error is errors.bad_request
    assert failure.message.startswith("organization_logo_url: ")
