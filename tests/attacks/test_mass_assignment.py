"""Fields that nobody may set by sending them along: AD-05, for every endpoint that changes things.

Two worlds begin alike and are told the same, but that one is sent, with every request, every field
that any endpoint takes or shows and this one does not take. They have to stay alike: each answer,
and every row of the database.
"""

import re
import types
import typing
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from tests.support.database_dump import dump
from tests.support.every_endpoint import needs_the_secret_alone, path_of
from tests.support.worlds import World, prepared, world
from vestibule.api.endpoint import Endpoint
from vestibule.api.groups import endpoints
from vestibule.permissions import Permission, ProjectSecret

CHANGING: Final = [
    endpoint
    for endpoint in endpoints()
    if endpoint.method in {"POST", "PUT", "PATCH"}
    and isinstance(endpoint.access, ProjectSecret | Permission)
]
STRICT: Final = [
    endpoint for endpoint in CHANGING if endpoint.request.__struct_config__.forbid_unknown_fields
]
"""Vestibule's own settings: here a name that is not known may be a mistyped protection."""
OF_MEMBERS: Final = [
    endpoint
    for endpoint in CHANGING
    if isinstance(endpoint.access, Permission) and not needs_the_secret_alone(endpoint)
]
# What these want, this file does not prepare; they are refused here for the reason told.
REFUSED: Final = {
    "organizations.members.unlink_retired_email": "no address is retired",
    "organizations.members.confirm_email_update": "the code is a wrong one",
    "organizations.members.connected_apps.revoke": "there are none",
    "sessions.exchange_access_token": "there are no connected apps",
    "sessions.migrate": "no such server is set",
    "sessions.attest": "no profile is set",
    "sso.saml.update_by_url": "nothing is there",
    "sso.settings.metadata.accept": "no metadata is followed",
    "sso.settings.metadata.refuse": "no metadata is followed",
    "sso.settings.metadata.refresh": "no metadata is followed",
}
LAST: Final = ("recovery_codes.rotate", "sessions.revoke")
"""After what they need, and after what they would end."""
WRAPPING: Final = {types.UnionType, typing.Union, list, tuple, dict, typing.Annotated}


# What is sent along ------------------------------------------------------------------------------


def structs_in(hint: object) -> set[type[msgspec.Struct]]:
    """Return the structs that a type is made of, at any depth."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        hints = typing.get_type_hints(hint)
        return {hint}.union(*(structs_in(each) for each in hints.values()))
    if typing.get_origin(hint) in {
        types.UnionType,
        typing.Union,
        list,
        tuple,
        dict,
        typing.Annotated,
    }:
        return set().union(*(structs_in(each) for each in typing.get_args(hint)))
    return set()


def every_field() -> dict[str, Any]:
    """Return every name that a request takes or an answer shows, with a value of its type."""
    found: dict[str, Any] = {}
    for endpoint in endpoints():
        for struct in (*structs_in(endpoint.response), endpoint.request):
            for name, hint in typing.get_type_hints(struct).items():
                found.setdefault(name, plausible(str(hint)))
    return found


def plausible(hint: str) -> Any:
    """Return a value that a field of this type might take, were it one of the endpoint's."""
    for word, value in (
        ("list", ["stytch_admin"]),
        ("tuple", ["stytch_admin"]),
        ("dict", {"role": "admin"}),
        ("bool", True),
        ("int", 7),
    ):
        if word in hint:
            return value
    return "https://evil.test/"


# Those that somebody would really try, with what they would want.
WANTED: Final[dict[str, Any]] = {
    "status": "deleted",
    "is_admin": True,
    "roles": ["stytch_admin"],
    "trusted_metadata": {"role": "admin"},
    "trusted_auth_token_config": {"enabled": True},
    "acs_url": "https://evil.test/acs",
    "audience_uri": "https://evil.test/audience",
    "redirect_url": "https://evil.test/callback",
    "email_address_verified": True,
    "member_is_breakglass": True,
    "created_at": "2000-01-01T00:00:00Z",
    "updated_at": "2000-01-01T00:00:00Z",
    "expires_at": "2100-01-01T00:00:00Z",
    "project_id": "project-test-other",
    "mfa_policy": "OPTIONAL",
    "id": "1",
    "__proto__": {"is_admin": True},
    "constructor": {"prototype": {"is_admin": True}},
    "is_owner": True,
    "deleted_at": None,
}


def more_for(endpoint: Endpoint, here: World) -> dict[str, Any]:
    """Return what `endpoint` does not take, and other things than its path names."""
    everything = {**every_field(), **WANTED, **here.foreign}
    taken = set(endpoint.request.__struct_fields__) - set(endpoint.path_names)
    return {name: value for name, value in everything.items() if name not in taken}


# The same twice ----------------------------------------------------------------------------------


async def told(endpoint: Endpoint, here: World, *, extra: bool) -> tuple[int, Any]:
    """Call an endpoint and return what it says."""
    values, body = await prepared(endpoint, here)
    sent = {**(more_for(endpoint, here) if extra else {}), **body}
    answer = await here.scenario.api.call(
        endpoint.method, path_of(endpoint, values), sent, headers=here.caller
    )
    return answer.status, answer.json


def alike(value: Any) -> str:
    """Return a text in which two worlds agree, but for the RSA keys that each made for itself."""
    return re.sub(r"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----", "PEM", str(value))


async def rows(here: World) -> dict[str, str]:
    held = await dump(here.scenario)
    for each in held["connection_keys"]:
        del each["private_key"], each["certificate"]
    return {table: alike(rows) for table, rows in held.items()}


@pytest.mark.case("AD-05", verdict="holds")
@pytest.mark.parametrize("caller", ["secret", "member"])
async def test_what_is_sent_along_changes_nothing_anywhere(
    migrated_sqlite_file: Path, tmp_path: Path, caller: str
) -> None:
    among = CHANGING if caller == "secret" else OF_MEMBERS
    among = [each for each in among if each not in STRICT]
    ordered = sorted(among, key=lambda each: each.operation_id in LAST)
    good = set()
    async with (
        world(migrated_sqlite_file, tmp_path / "plain.db") as plain,
        world(migrated_sqlite_file, tmp_path / "extra.db") as extra,
    ):
        assert await rows(plain) == await rows(extra)
        for here in (plain, extra):
            here.caller = here.ada.headers if caller == "member" else {}
        for endpoint in ordered:
            before = await told(endpoint, plain, extra=False)
            after = await told(endpoint, extra, extra=True)
            assert alike(after) == alike(before), endpoint.operation_id
            assert await rows(plain) == await rows(extra), endpoint.operation_id
            if before[0] == 200:
                good.add(endpoint.operation_id)
            else:
                assert endpoint.operation_id in REFUSED, (endpoint.operation_id, before)
    assert good == {each.operation_id for each in among} - REFUSED.keys()


@pytest.mark.case("AD-05")
async def test_settings_refuse_by_name_what_they_do_not_take(
    migrated_sqlite_file: Path, tmp_path: Path
) -> None:
    assert [each.operation_id for each in STRICT] == ["sso.settings.update"]
    async with world(migrated_sqlite_file, tmp_path / "strict.db") as here:
        before = await rows(here)
        for endpoint in STRICT:
            values, body = await prepared(endpoint, here)
            for name, value in more_for(endpoint, here).items():
                if name in endpoint.path_names:
                    continue
                refused = await here.scenario.api.call(
                    endpoint.method, path_of(endpoint, values), {name: value, **body}
                )
                assert (refused.status, refused.json["error_type"]) == (400, "bad_request"), name
                assert f"`{name}`" in refused.json["error_message"]
        assert await rows(here) == before


def test_every_read_only_field_of_the_contract_is_among_what_is_sent() -> None:
    names = every_field().keys() | WANTED.keys()
    assert len(names) > 150
    assert names >= {
        "acs_url",
        "audience_uri",
        "connection_id",
        "created_at",
        "email_address_verified",
        "is_admin",
        "is_locked",
        "member_id",
        "organization_id",
        "retired_email_addresses",
        "roles",
        "signing_certificates",
        "sso_active_connections",
        "status",
        "totp_registration_id",
        "trusted_metadata",
        "verification_certificates",
    }
