"""Fields that nobody may set by sending them along: AD-05, for every endpoint that changes things.

Two worlds begin alike and are told the same, but that one is sent every field that any endpoint
takes or shows and this one does not take. They have to stay alike: the answer, and every row of the
database.
"""

import re
import shutil
import types
import typing
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
import pytest

from tests.support.asgi import Answer
from tests.support.audited_calls import Prepared, Stage, stage_of
from tests.support.audited_sso_calls import CALLS
from tests.support.database_dump import dump
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.every_endpoint import authorization_of, needs_the_secret_alone, path_of
from tests.support.proofs import add_member
from tests.support.scenario import open_scenario
from vestibule.api.endpoint import Endpoint
from vestibule.api.groups import endpoints
from vestibule.permissions import Permission
from vestibule.store.open import open_store

CHANGING: Final = {
    endpoint.operation_id: endpoint
    for endpoint in endpoints()
    if endpoint.method != "GET" and endpoint.operation_id in CALLS
}
OF_MEMBERS: Final = [
    name
    for name, endpoint in CHANGING.items()
    if isinstance(endpoint.access, Permission) and not needs_the_secret_alone(endpoint)
]
STRICT: Final = [
    name
    for name, endpoint in CHANGING.items()
    if endpoint.request.__struct_config__.forbid_unknown_fields
]
"""Vestibule's own settings: here a name that is not known may be a mistyped protection."""
WRAPPING: Final = {types.UnionType, typing.Union, list, tuple, dict, typing.Annotated}


@dataclass(frozen=True)
class World:
    """A server on a database of its own, with a call made ready, and what belongs to others.

    `admin` are the headers of a member who may do everything that members may.
    """

    stage: Stage
    prepared: Prepared
    admin: dict[str, str]
    foreign: dict[str, str]


@asynccontextmanager
async def world(name: str, migrated: Path, file: Path) -> AsyncIterator[World]:
    """Make a call of `name` ready on `file`, a copy of the empty database `migrated`.

    Two of them are alike to the last row, but for the RSA keys they make.
    """
    shutil.copyfile(migrated, file)
    store = await open_store(f"sqlite:{file}", connections=1)
    scenario = await open_scenario(store, clock=HandClock(), entropy=SeededEntropy())
    globex = await scenario.organization("Globex")
    theirs = await scenario.saml_connection(globex["organization_id"])
    eve = await add_member(scenario, globex, "eve@globex.test")
    stage = await stage_of(scenario)
    admin = await stage.door.add_member("admin@acme.test", roles=["stytch_admin"])
    session = await stage.door.log_in(subject="admin", email=admin["email_address"])
    foreign = {
        "organization_id": globex["organization_id"],
        "connection_id": theirs["connection_id"],
        "member_id": eve["member_id"],
        "certificate_id": theirs["verification_certificates"][0]["certificate_id"],
    }
    headers = {"x-stytch-member-session": session["session_token"]}
    yield World(stage, await CALLS[name](stage), headers, foreign)
    await store.close()


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


async def send(
    endpoint: Endpoint, here: World, more: dict[str, Any], caller: dict[str, str]
) -> Answer:
    """Make the call, with `more` beside what it takes."""
    path, scenario = path_of(endpoint, here.prepared.path), here.stage.scenario
    headers = {**authorization_of(endpoint, scenario), **caller}
    if endpoint.method == "DELETE":
        # No more fields than a query may have.
        tried = {name: value for name, value in more.items() if name in {*WANTED, *here.foreign}}
        query = f"?{urlencode(tried)}" if tried else ""
        return await scenario.api.call("DELETE", path + query, headers=headers)
    body = {**more, **here.prepared.body}
    return await scenario.api.call(endpoint.method, path, body, headers=headers)


def alike(value: Any) -> str:
    """Return a text in which two worlds agree, but for the RSA keys that each made for itself."""
    return re.sub(r"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----", "PEM", str(value))


async def rows(here: World) -> dict[str, str]:
    held = await dump(here.stage.scenario)
    for each in held["connection_keys"]:
        del each["private_key"], each["certificate"]
    return {table: alike(rows) for table, rows in held.items()}


@pytest.mark.case("AD-05", verdict="holds")
@pytest.mark.parametrize(
    ("name", "caller"),
    [
        *((name, "secret") for name in CHANGING if name not in STRICT),
        *((name, "member") for name in OF_MEMBERS if name not in STRICT),
    ],
)
async def test_what_is_sent_along_changes_nothing_anywhere(
    migrated_sqlite_file: Path, tmp_path: Path, name: str, caller: str
) -> None:
    endpoint = CHANGING[name]
    async with (
        world(name, migrated_sqlite_file, tmp_path / "plain.db") as plain,
        world(name, migrated_sqlite_file, tmp_path / "more.db") as more,
    ):
        assert await rows(plain) == await rows(more)
        headers = plain.admin if caller == "member" else {}
        before = await send(endpoint, plain, {}, headers)
        after = await send(endpoint, more, more_for(endpoint, more), headers)
        assert (after.status, alike(after.json)) == (before.status, alike(before.json))
        assert await rows(more) == await rows(plain)
        if caller == "secret":
            assert before.status == 200, before.text


@pytest.mark.case("AD-05")
@pytest.mark.parametrize("name", STRICT)
async def test_settings_refuse_by_name_what_they_do_not_take(
    migrated_sqlite_file: Path, tmp_path: Path, name: str
) -> None:
    endpoint = CHANGING[name]
    async with world(name, migrated_sqlite_file, tmp_path / "strict.db") as here:
        before = await rows(here)
        for field, value in more_for(endpoint, here).items():
            if field in endpoint.path_names:
                continue
            refused = await send(endpoint, here, {field: value}, {})
            assert (refused.status, refused.json["error_type"]) == (400, "bad_request"), field
            assert f"`{field}`" in refused.json["error_message"]
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
