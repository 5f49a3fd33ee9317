import json

from vestibule import errors
from vestibule.api import openapi
from vestibule.api.groups import endpoints
from vestibule.errors import all_errors


def test_every_endpoint_is_described_once() -> None:
    document = openapi.document()
    described = {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert described.keys() == {(e.method, e.path) for e in endpoints()}
    for endpoint in endpoints():
        operation = described[endpoint.method, endpoint.path]
        assert operation["operationId"] == endpoint.operation_id
        assert operation["description"]
        in_path = [each["name"] for each in operation["parameters"] if each["in"] == "path"]
        assert sorted(in_path) == sorted(endpoint.path_names)
        assert ("requestBody" in operation) == (endpoint.method in {"POST", "PUT"})
        statuses = {str(error.status) for error in openapi.errors_of(endpoint)} | {"200"}
        assert operation["responses"].keys() == statuses


def test_references_lead_somewhere_and_no_path_field_is_in_a_body() -> None:
    text = openapi.text()
    document = json.loads(text)
    schemas = document["components"]["schemas"]
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= schemas.keys()
    for endpoint in endpoints():
        operation = document["paths"][endpoint.path][endpoint.method.lower()]
        if "requestBody" in operation:
            reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            schema = schemas[reference.removeprefix("#/components/schemas/")]
            assert not set(endpoint.path_names) & schema["properties"].keys()
            assert not set(endpoint.path_names) & set(schema.get("required", ()))


def test_member_permission_and_missing_credentials_are_told() -> None:
    paths = openapi.document()["paths"]
    assert paths["/v1/b2b/sso/{organization_id}"]["get"]["x-permission"] == "stytch.sso:get"
    update = paths["/v1/b2b/organizations/{organization_id}"]["put"]
    assert update["x-permission"] == "stytch.organization:per field"
    assert paths["/v1/b2b/sessions/jwks/{project_id}"]["get"]["security"] == []
    assert update["security"] == [{"project": []}]


def test_errors_of_credentials_bodies_and_member_sessions_are_told_where_they_can_come() -> None:
    by_id = {endpoint.operation_id: endpoint for endpoint in endpoints()}
    create = openapi.errors_of(by_id["organizations.members.create"])
    read = openapi.errors_of(by_id["organizations.get"])
    public = openapi.errors_of(by_id["sessions.get_jwks"])
    everywhere = {errors.bad_request, errors.server_unavailable}
    body = {errors.request_too_large, errors.unsupported_media_type}
    session = {errors.session_not_found, errors.session_authorization_error}
    credentials = {errors.unauthorized_credentials}
    assert everywhere | body | session | credentials <= create
    assert (everywhere | credentials) & read == everywhere | credentials
    assert not (body | session) & read
    assert everywhere <= public
    assert not (body | session | credentials) & public


def test_a_body_is_required_where_one_of_its_fields_is() -> None:
    paths = openapi.document()["paths"]
    create = paths["/v1/b2b/organizations/{organization_id}/members"]["post"]
    assert create["requestBody"]["required"] is True
    update = paths["/v1/b2b/organizations/{organization_id}"]["put"]
    assert update["requestBody"]["required"] is False


def test_declared_errors_are_in_the_list_of_all() -> None:
    known = set(all_errors())
    assert all(set(endpoint.errors) <= known for endpoint in endpoints())


def test_text_is_the_same_every_time_and_ends_in_a_line_break() -> None:
    text = openapi.text()
    assert text == openapi.text()
    assert text.endswith("}\n")
    assert "vestibule.api" not in text
