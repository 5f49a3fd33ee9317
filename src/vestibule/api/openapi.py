"""The OpenAPI 3.1 document, read from the declared endpoints."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from inspect import cleandoc
from typing import Any, Final

import msgspec

from vestibule import errors
from vestibule.api.endpoint import Endpoint
from vestibule.api.groups import endpoints
from vestibule.api.objects.sessions import NAMED_SESSION
from vestibule.domain.limits import Limit
from vestibule.errors import ErrorType
from vestibule.permissions import Access, Permission, Public, PublicToken
from vestibule.web import ErrorBody

_REF: Final = "#/components/schemas/{name}"
_WITHOUT_BODY: Final = frozenset({"GET", "DELETE"})
_OF_EVERY_ENDPOINT: Final = (
    errors.bad_request,
    errors.too_many_requests,
    errors.server_unavailable,
)
_OF_A_BODY: Final = (errors.request_too_large, errors.unsupported_media_type)
_OF_A_MEMBER_SESSION: Final = (
    *NAMED_SESSION,
    errors.session_authorization_error,
    errors.session_authorization_tenancy_error,
)


def document() -> dict[str, Any]:
    """Return the document of all endpoint groups."""
    declared = endpoints()
    types = [kind for item in declared for kind in (item.request, item.response)]
    schemas, components = msgspec.json.schema_components([*types, ErrorBody], ref_template=_REF)
    by_type = dict(zip(types, schemas, strict=False))
    paths: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for item in declared:
        paths[item.path][item.method.lower()] = _operation(item, by_type, components)
    _drop_path_fields(declared, by_type, components)
    _unindent(components)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Vestibule", "version": "v1", "license": {"name": "Apache-2.0"}},
        "paths": dict(paths),
        "components": {
            "schemas": components,
            "securitySchemes": {
                "project": {"type": "http", "scheme": "basic"},
                "public_token": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _unindent(components: dict[str, Any]) -> None:
    """Take a docstring's indentation out of the descriptions, as Python 3.13 does by itself."""
    for schema in components.values():
        if "description" in schema:
            schema["description"] = cleandoc(schema["description"])


def text() -> str:
    """Return the document as indented JSON with sorted keys, ending in a line break."""
    encoded = msgspec.json.encode(document(), order="sorted")
    # Types of one name in several groups are told apart by their module; the group is enough.
    return msgspec.json.format(encoded.replace(b"vestibule.api.", b"")).decode() + "\n"


def _operation(
    item: Endpoint, by_type: dict[Any, dict[str, Any]], components: dict[str, Any]
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": item.operation_id,
        "tags": [item.group],
        "description": cleandoc(item.handler.__doc__ or ""),
        "parameters": _parameters(item, by_type, components),
        "responses": {
            "200": _json_content("Success", _answer(item, by_type[item.response])),
            **_error_responses(errors_of(item)),
        },
        "security": _security(item.access),
        "x-limits": [_limit(limit) for limit in item.limits],
    }
    if isinstance(item.access, Permission):
        operation["x-permission"] = f"{item.access.resource}:{item.access.action or 'per field'}"
    if item.method not in _WITHOUT_BODY:
        operation["requestBody"] = {
            "content": {"application/json": {"schema": by_type[item.request]}},
            "required": bool(_required(item) - set(item.path_names)),
        }
    return operation


def errors_of(item: Endpoint) -> set[ErrorType]:
    """Return the errors an endpoint declares and those of what runs before it (operation.py)."""
    return {
        *item.errors,
        *_OF_EVERY_ENDPOINT,
        *(() if item.method in _WITHOUT_BODY else _OF_A_BODY),
        *(() if isinstance(item.access, Public) else (errors.unauthorized_credentials,)),
        *(_OF_A_MEMBER_SESSION if isinstance(item.access, Permission) else ()),
        *((errors.bad_domain_for_stytch_sdk,) if isinstance(item.access, PublicToken) else ()),
    }


def _required(item: Endpoint) -> set[str]:
    fields = msgspec.structs.fields(item.request)
    return {field.encode_name for field in fields if field.required}


def _limit(limit: Limit) -> dict[str, Any]:
    return {
        "name": limit.name,
        "per": list(limit.per),
        "requests": limit.requests,
        "seconds": limit.seconds,
    }


def _answer(item: Endpoint, schema: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(item.access, PublicToken):
        return schema
    return {"type": "object", "properties": {"data": schema}, "required": ["data"]}


def _security(access: Access) -> list[dict[str, list[str]]]:
    if isinstance(access, Public):
        return []
    return [{"public_token" if isinstance(access, PublicToken) else "project": []}]


def _name(reference: dict[str, Any]) -> str:
    return str(reference["$ref"]).removeprefix(_REF.format(name=""))


def _parameters(
    item: Endpoint, by_type: dict[Any, dict[str, Any]], components: dict[str, Any]
) -> list[dict[str, Any]]:
    schema = components[_name(by_type[item.request])]
    required = _required(item)
    in_query = item.method in _WITHOUT_BODY
    return [
        {
            "name": name,
            "in": "path" if name in item.path_names else "query",
            "required": name in required,
            "schema": kind,
        }
        for name, kind in schema["properties"].items()
        if name in item.path_names or in_query
    ]


def _drop_path_fields(
    declared: Sequence[Endpoint], by_type: dict[Any, dict[str, Any]], components: dict[str, Any]
) -> None:
    """Leave to each request body only what is not in its path."""
    for item in declared:
        schema = components[_name(by_type[item.request])]
        for name in item.path_names:
            schema["properties"].pop(name, None)
        if "required" in schema:
            schema["required"] = [r for r in schema["required"] if r not in item.path_names]


def _error_responses(declared: Collection[ErrorType]) -> dict[str, Any]:
    by_status: defaultdict[int, list[str]] = defaultdict(list)
    for error in declared:
        by_status[error.status].append(error.name)
    return {
        str(status): _json_content(
            ", ".join(sorted(names)), {"$ref": _REF.format(name=ErrorBody.__name__)}
        )
        for status, names in sorted(by_status.items())
    }


def _json_content(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
