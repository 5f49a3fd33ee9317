import msgspec
from stytch.b2b.models.sso import Connection, OIDCConnection, SAMLConnection

from vestibule.api.objects import connections
from vestibule.records import Connection as Record
from vestibule.records import ExternalConfiguration, GroupRoleAssignment


def test_fields_are_those_of_the_sdk() -> None:
    for ours, theirs in (
        (connections.SamlConnection, SAMLConnection),
        (connections.OidcConnection, OIDCConnection),
        (connections.ExternalConnection, Connection),
    ):
        assert set(ours.__struct_fields__) == theirs.model_fields.keys(), ours


def test_external_connection_shows_its_roles() -> None:
    external = ExternalConfiguration(
        external_organization_id="o-2",
        external_connection_id="c-2",
        connection_roles=("a",),
        group_roles=(GroupRoleAssignment(role_id="b", group="g"),),
    )
    record = Record(
        connection_id="c-1",
        project_id="p",
        organization_id="o-1",
        protocol="external",
        display_name="Theirs",
        status="active",
        external=external,
        created_at=1,
        updated_at=1,
    )
    shown = msgspec.to_builtins(connections.external_object(record, external))
    assert Connection.model_validate(shown).model_dump() == {
        "organization_id": "o-1",
        "connection_id": "c-1",
        "external_organization_id": "o-2",
        "external_connection_id": "c-2",
        "display_name": "Theirs",
        "status": "active",
        "external_connection_implicit_role_assignments": [{"role_id": "a"}],
        "external_group_implicit_role_assignments": [{"role_id": "b", "group": "g"}],
    }
