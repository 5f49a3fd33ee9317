"""Fields that connections of both protocols share: how what was sent is read and checked."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from vestibule import errors
from vestibule.domain.policy import MEMBER_ROLE
from vestibule.errors import ErrorType, Failure
from vestibule.identity_providers.catalogue import CATALOGUE
from vestibule.records import (
    Configuration,
    GroupRoleAssignment,
    SamlConfiguration,
)
from vestibule.settings import Settings

_MAX_DISPLAY_NAME: Final = 256
_MAX_MAPPING_KEYS: Final = 50
_MAX_MAPPING_CHARS: Final = 512
_MAX_ROLES: Final = 1000
_MAX_GROUP_CHARS: Final = 512


def display_name(value: str) -> str:
    """Return a display name. Raises Failure invalid_display_name."""
    if len(value) > _MAX_DISPLAY_NAME:
        raise Failure(errors.invalid_display_name)
    return value


def identity_provider(value: str) -> str:
    """Return a vendor of the enum. Raises Failure invalid_sso_idp."""
    if value not in CATALOGUE:
        raise Failure(
            errors.invalid_sso_idp,
            f"identity_provider: expected one of {', '.join(CATALOGUE)}.",
        )
    return value


def attribute_mapping(value: Mapping[str, Any]) -> dict[str, str]:
    """Return a flat map from our keys to names at the identity provider. Raises Failure."""
    nested = errors.saml_connection_no_nested_keys_in_attribute_mapping
    if len(value) > _MAX_MAPPING_KEYS:
        raise Failure(nested, f"attribute_mapping: at most {_MAX_MAPPING_KEYS} keys.")
    for key, name in value.items():
        if not isinstance(name, str) or not name or len(name) > _MAX_MAPPING_CHARS or not key:
            raise Failure(nested, f"attribute_mapping.{key[:100]}: expected a name as text.")
    return dict(value)


def is_https_or_listed(settings: Settings, url: str) -> bool:
    """True for https, and for http to a host that the operator lists (`outbound_hosts`)."""
    parts = urlsplit(url)
    listed = {name.strip().lower() for name in settings.outbound_hosts.split(",")}
    listed.discard("")
    return parts.scheme == "https" or bool({parts.hostname, parts.netloc.lower()} & listed)


def role_ids(known: Collection[str], given: Sequence[str]) -> tuple[str, ...]:
    """Return role ids that are `known`, each once. Raises Failure invalid_rbac_role_assignment."""
    if len(given) > _MAX_ROLES:
        raise Failure(
            errors.invalid_rbac_role_assignment, f"At most {_MAX_ROLES} roles can be assigned."
        )
    for role_id in given:
        if role_id not in known:
            raise Failure(
                errors.invalid_rbac_role_assignment, f"role_id: there is no role {role_id[:128]!r}."
            )
        if role_id == MEMBER_ROLE:
            raise Failure(errors.cannot_assign_default_rbac_role_id)
    return tuple(dict.fromkeys(given))


def group_roles(
    known: Collection[str],
    given: Sequence[tuple[str, str, str | None]],
    *,
    before: Sequence[GroupRoleAssignment] = (),
) -> tuple[GroupRoleAssignment, ...]:
    """Return assignments of (role_id, group, display name), each role and group once.

    A display name that is None stays as it was `before`. Raises Failure.
    """
    role_ids(known, [role_id for role_id, _, _ in given])
    if any(not 0 < len(group) <= _MAX_GROUP_CHARS for _, group, _ in given):
        raise Failure(errors.saml_group_role_assignment_does_not_contain_member_group)
    sent = {group: name for _, group, name in given if name is not None}
    if any(len(name) > _MAX_DISPLAY_NAME or not name.isprintable() for name in sent.values()):
        raise Failure(
            errors.bad_request,
            f"display_name: expected at most {_MAX_DISPLAY_NAME} printable characters.",
        )
    called = {each.group: each.display_name for each in before} | sent
    return tuple(
        GroupRoleAssignment(role_id=role_id, group=group, display_name=called.get(group, ""))
        for role_id, group in dict.fromkeys((role_id, group) for role_id, group, _ in given)
    )


def role_assignments(
    known: Collection[str], configuration: Configuration, changes: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the role assignments among `changes` as fields of a configuration. Raises Failure."""
    values: dict[str, Any] = {}
    if "connection_roles" in changes:
        values["connection_roles"] = role_ids(known, changes["connection_roles"])
    if "group_roles" in changes:
        values["group_roles"] = group_roles(
            known, changes["group_roles"], before=configuration.group_roles
        )
    return values


def require_groups_mapped(saml: SamlConfiguration, message: str = "") -> None:
    """Pass when roles can hang on groups: a SAML connection tells only groups that are mapped.

    Raises Failure saml_connection_attribute_mapping_missing_groups_key.
    """
    if "groups" not in (saml.attribute_mapping or {}):
        raise Failure(errors.saml_connection_attribute_mapping_missing_groups_key, message)


def text(value: str, error: ErrorType, *, longest: int = 1024) -> str:
    """Return `value` when it is printable and not too long. Raises Failure `error`."""
    if len(value) > longest or not value.isprintable():
        raise Failure(error)
    return value
