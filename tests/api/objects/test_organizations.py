from msgspec import to_builtins
from msgspec.structs import replace
from stytch.b2b.models import organizations as sdk

from tests.support.determinism import NOW
from tests.support.full_records import full_record
from vestibule.api.objects.organizations import OrganizationObject, organization_object, role_object
from vestibule.domain.organizations import OrganizationView
from vestibule.records import Organization, Role
from vestibule.store.interface import CONNECTION, ORGANIZATION

BLANK = Organization(
    organization_id="organization-test-1",
    project_id="project-test-1",
    organization_name="Acme",
    organization_slug="acme",
    created_at=NOW,
    updated_at=NOW,
)


def test_fields_are_those_of_the_sdk() -> None:
    assert set(OrganizationObject.__struct_fields__) == set(sdk.Organization.model_fields)


def test_blank_organization_reads_in_the_sdk_without_a_null_that_is_not_allowed() -> None:
    shown = to_builtins(organization_object(OrganizationView(BLANK, ())))
    nothing = {name for name, value in shown.items() if value is None}
    assert nothing == {
        "organization_external_id",
        "sso_default_connection_id",
        "scim_active_connection",
        "allowed_oauth_tenants",
    }
    assert shown["created_at"] == "2026-03-05T12:34:56Z"
    sdk.Organization.model_validate(shown)


def test_full_organization_is_shown_whole() -> None:
    record = replace(full_record(ORGANIZATION), created_at=NOW, updated_at=NOW)
    connection = full_record(CONNECTION)
    shown = to_builtins(organization_object(OrganizationView(record, (connection,))))
    sdk.Organization.model_validate(shown)
    stored = to_builtins(record)
    # Who gave the roles is nothing that the wire has a field for.
    assignments = record.rbac_email_implicit_role_assignments
    stored["rbac_email_implicit_role_assignments"] = tuple(
        {"domain": each.domain, "role_id": each.role_id} for each in assignments
    )
    same = shown.keys() & stored.keys() - {"created_at", "updated_at"}
    assert len(same) == len(stored) - 4
    assert {name: shown[name] for name in same} == {name: stored[name] for name in same}
    assert shown["sso_active_connections"] == (
        {
            "connection_id": connection.connection_id,
            "display_name": connection.display_name,
            "identity_provider": connection.identity_provider,
        },
    )


def test_role_without_permissions_is_shown() -> None:
    shown = to_builtins(role_object(Role(role_id="editor")))
    assert shown == {"role_id": "editor", "description": "", "permissions": ()}
