"""Trusted token profiles: the issuers whose tokens begin sessions in a project (semantics 6.4)."""

from typing import Final

import msgspec

from vestibule import errors
from vestibule.domain import audit, connection_fields
from vestibule.domain.context import Context
from vestibule.errors import Failure
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.jwks import read_public_key
from vestibule.oidc.trusted_token import OPTIONAL, REQUIRED
from vestibule.oidc.urls import check_url
from vestibule.records import Project, TrustedTokenProfile

_MOST_PROFILES: Final = 20
_MOST_KEYS: Final = 5
_LONGEST: Final = 512


class ProfileInput(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A profile as an operator writes it; either `jwks_url` or `public_keys` (PEM) is given."""

    name: str
    issuer: str
    audience: str
    attribute_mapping: dict[str, str]
    jwks_url: str = ""
    public_keys: tuple[str, ...] = ()
    can_jit_provision: bool = False


def read(data: bytes) -> ProfileInput:
    """Return the profile in a JSON text. Raises Failure trusted_token_profile_invalid_request."""
    try:
        return msgspec.json.decode(data, type=ProfileInput)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _invalid(str(error)) from None


async def add(context: Context, project: Project, given: ProfileInput) -> TrustedTokenProfile:
    """Let tokens of another issuer begin sessions, and return its profile.

    Raises Failure trusted_token_profile_invalid_request naming the field, or
    too_many_trusted_token_profiles_for_project.
    """
    _check(context, given)
    profile = TrustedTokenProfile(
        profile_id=context.new_id("trusted-auth-token-profile", project),
        project_id=project.project_id,
        name=given.name,
        issuer=given.issuer,
        audience=given.audience,
        jwks_url=given.jwks_url,
        public_keys=given.public_keys,
        attribute_mapping=given.attribute_mapping,
        can_jit_provision=given.can_jit_provision,
        created_at=context.clock.now(),
    )
    async with context.store.write() as tx:
        # The project is held, so that of several that are added at once none is one too many.
        await tx.projects.find(lock=True, project_id=project.project_id)
        if await tx.trusted_token_profiles.count(project_id=project.project_id) >= _MOST_PROFILES:
            raise Failure(errors.too_many_trusted_token_profiles_for_project)
        await tx.trusted_token_profiles.insert(profile)
        await audit.record(tx, context, "project.add_trusted_tokens", project, profile.profile_id)
    return profile


async def get(context: Context, project: Project, profile_id: str) -> TrustedTokenProfile:
    """Return a profile. Raises Failure trusted_token_profile_not_found."""
    async with context.store.read() as tx:
        found = await tx.trusted_token_profiles.find(
            project_id=project.project_id, profile_id=profile_id
        )
    if found is None:
        raise Failure(errors.trusted_token_profile_not_found)
    return found


async def get_all(context: Context, project: Project) -> list[TrustedTokenProfile]:
    """Return the project's profiles, oldest first."""
    async with context.store.read() as tx:
        return await tx.trusted_token_profiles.all(
            project_id=project.project_id, order="created_at"
        )


async def remove(context: Context, project: Project, profile_id: str) -> None:
    """Believe an issuer no longer; sessions that it began go on.

    Raises Failure trusted_token_profile_not_found.
    """
    async with context.store.write() as tx:
        if not await tx.trusted_token_profiles.delete(
            project_id=project.project_id, profile_id=profile_id
        ):
            raise Failure(errors.trusted_token_profile_not_found)
        await audit.record(tx, context, "project.remove_trusted_tokens", project, profile_id)


def _check(context: Context, given: ProfileInput) -> None:
    for name in ("name", "issuer", "audience"):
        if not 0 < len(getattr(given, name)) <= _LONGEST:
            raise _invalid(f"{name}: expected 1 to {_LONGEST} characters.")
    mapping = given.attribute_mapping
    known = REQUIRED | OPTIONAL
    if not mapping.keys() >= REQUIRED or not mapping.keys() <= known or not all(mapping.values()):
        raise _invalid(
            f"attribute_mapping: expected claims for {', '.join(sorted(REQUIRED))}, and for none "
            f"but {', '.join(sorted(OPTIONAL))} beside them."
        )
    if bool(given.jwks_url) == bool(given.public_keys):
        raise _invalid("Either jwks_url or public_keys is needed.")
    if len(given.public_keys) > _MOST_KEYS:
        raise _invalid(f"public_keys: expected at most {_MOST_KEYS}.")
    _check_keys(context, given)


def _check_keys(context: Context, given: ProfileInput) -> None:
    try:
        for pem in given.public_keys:
            read_public_key(pem)
        if given.jwks_url:
            check_url(given.jwks_url, reason=Reason.URL, secure=False)
    except OidcError as error:
        name = "public_keys" if given.public_keys else "jwks_url"
        raise _invalid(f"{name}: expected {error.expected}.") from None
    if given.jwks_url and not connection_fields.is_https_or_listed(
        context.settings, given.jwks_url
    ):
        raise _invalid("jwks_url: expected an https URL.")


def _invalid(message: str) -> Failure:
    return Failure(errors.trusted_token_profile_invalid_request, message)
