"""Recovery codes: what a member types who has lost the authenticator, each once (semantics 4.5).

They belong to the member's authenticator and count while it is active. The API shows them, so they
are kept sealed; they are found by a keyed hash, whose key is sealed beside the authenticator.
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from vestibule import errors, totp
from vestibule.domain import audit, members, organizations, tenancy
from vestibule.domain.context import Context
from vestibule.domain.members import MemberView
from vestibule.domain.mfa import completion
from vestibule.domain.mfa.completion import Completion, Proven, Wrong
from vestibule.domain.organizations import OrganizationView
from vestibule.domain.outcome import Party, shown
from vestibule.domain.sessions import SessionView
from vestibule.errors import Failure
from vestibule.records import Factor, Project, RecoveryCode, Totp
from vestibule.store.interface import Transaction
from vestibule.totp import TotpError

KEY_BYTES: Final = 32
_HOW_MANY: Final = 10
_MOST: Final = 100
_GROUPS: Final = 3
_GROUP: Final = 4
_SIGNS: Final = "abcdefghijklmnopqrstuvwxyz234567"
_FORM: Final = re.compile(r"\S{8,64}")
_LONGEST_TEXT: Final = 256


def mint(context: Context) -> list[str]:
    """Return ten new codes of 60 random bits, such as `ckss-2skx-ebow`."""
    size = _GROUPS * _GROUP
    made = []
    for _ in range(_HOW_MANY):
        signs = "".join(_SIGNS[byte % len(_SIGNS)] for byte in context.entropy.token_bytes(size))
        made.append("-".join(signs[at : at + _GROUP] for at in range(0, size, _GROUP)))
    return made


def read_all(codes: Sequence[str]) -> list[str]:
    """Return codes that come from elsewhere, as they are; raises Failure invalid_recovery_code.

    They have to be told apart from each other, and from the digits of an authenticator.
    """
    read = {_read(code) for code in codes}
    if None in read or len(read) != len(codes) or len(codes) > _MOST:
        raise Failure(
            errors.invalid_recovery_code,
            f"recovery_codes: expected at most {_MOST} different codes of 8 to 64 characters each.",
        )
    return list(codes)


async def keep(
    tx: Transaction, context: Context, project: Project, registration: Totp, codes: Sequence[str]
) -> None:
    """Make `codes` those of `registration`."""
    await tx.recovery_codes.delete(**_of(registration))
    for position, code in enumerate(codes):
        code_id = context.new_id("recovery-code", project)
        await tx.recovery_codes.insert(
            RecoveryCode(
                recovery_code_id=code_id,
                **_of(registration),
                position=position,
                code_hash=_hash(context, registration, code),
                sealed=context.sealer.seal(code.encode(), purpose=_purpose(code_id)),
                created_at=context.clock.now(),
            )
        )


async def is_one(tx: Transaction, context: Context, registration: Totp, text: str) -> bool:
    """True when `text` is a code of `registration` that has not been used."""
    if _read(text) is None:
        return False
    unused = {**_of(registration), "consumed_at": 0}
    code_hash = _hash(context, registration, text)
    return await tx.recovery_codes.count(**unused, code_hash=code_hash) > 0


async def get(
    context: Context, project: Project, locator: str, member_locator: str
) -> tuple[MemberView, OrganizationView, list[str]]:
    """Return a member's codes that have not been used.

    Raises Failure organization_not_found, member_not_found or recovery_codes_not_found.
    """
    async with context.store.read() as tx:
        organization = await organizations.load(tx, project, locator)
        member = await members.load(tx, organization, member_locator)
        party = Party(project, organization, member)
        registration = await active(tx, party)
        if registration is None:
            raise Failure(errors.recovery_codes_not_found)
        kept = await tx.recovery_codes.all(**_of(registration), consumed_at=0, order="position")
        codes = [_unsealed(context, each) for each in kept]
        return (*await shown(tx, party), codes)


async def rotate(
    context: Context, project: Project, locator: str, member_locator: str
) -> tuple[MemberView, OrganizationView, list[str]]:
    """Give a member new codes in the place of all there were.

    Raises Failure organization_not_found, member_not_found or
    no_active_recovery_code_backed_factor.
    """
    codes = mint(context)
    async with context.store.write() as tx:
        party = await completion.party_of(tx, project, locator, member_locator)
        member = party.member
        registration = await active(tx, party)
        if registration is None:
            raise Failure(errors.no_active_recovery_code_backed_factor)
        await keep(tx, context, project, registration, codes)
        await audit.record(tx, context, "member.rotate_recovery_codes", member, member.member_id)
        return (*await shown(tx, party), codes)


async def recover(
    context: Context, project: Project, request: Completion, code: str
) -> tuple[SessionView, int]:
    """Use a code up; return the session that holds it, and how many codes are left.

    Raises Failure: those of `completion.complete`, recovery_codes_not_found,
    invalid_recovery_code, totp_code_used_as_recovery_code, or unable_to_authenticate_recovery_code
    for one that is unknown or used.
    """
    seen = await completion.complete(
        context, project, request, method="totp", prove=partial(_prove, context=context, text=code)
    )
    member = seen.member.member
    async with context.store.read() as tx:
        left = await tx.recovery_codes.count(
            project_id=member.project_id,
            organization_id=member.organization_id,
            totp_registration_id=member.totp_registration_id,
            consumed_at=0,
        )
    return seen, left


async def active(tx: Transaction, party: Party) -> Totp | None:
    """Return the member's active authenticator, or None."""
    member = party.member
    if not member.totp_registration_id:
        return None
    return await tx.totps.find(
        project_id=member.project_id,
        organization_id=member.organization_id,
        totp_registration_id=member.totp_registration_id,
    )


async def _prove(tx: Transaction, party: Party, *, context: Context, text: str) -> Proven:
    _refuse_digits(text)
    if _read(text) is None:
        raise Failure(errors.invalid_recovery_code)
    registration = await active(tx, party)
    if registration is None or not await tx.recovery_codes.count(
        **_of(registration), consumed_at=0
    ):
        raise Failure(errors.recovery_codes_not_found)
    now = context.clock.now()
    used = await tx.recovery_codes.change(
        {"consumed_at": now},
        **_of(registration),
        code_hash=_hash(context, registration, text),
        consumed_at=0,
    )
    if not used:
        raise Wrong(Failure(errors.unable_to_authenticate_recovery_code))
    factor = Factor(
        type="recovery_codes",
        delivery_method="recovery_code",
        details_name="recovery_code_factor",
        details={"totp_recovery_code_id": used[0].recovery_code_id},
        sequence_order="SECONDARY",
        last_authenticated_at=now,
        created_at=now,
        updated_at=now,
    )
    return Proven(factor, party.member)


def _refuse_digits(text: str) -> None:
    """Pass unless this has the form of an authenticator's code, which no recovery code has."""
    try:
        totp.read_code(text)
    except TotpError:
        return
    raise Failure(errors.totp_code_used_as_recovery_code)


def _read(text: str) -> str | None:
    """Return a code as it is compared: without spaces, hyphens and capitals; None for none."""
    if len(text) > _LONGEST_TEXT:
        return None
    plain = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text)).casefold()
    return plain if _FORM.fullmatch(plain) else None


def _hash(context: Context, registration: Totp, code: str) -> bytes:
    purpose = key_purpose(registration.totp_registration_id)
    key = context.sealer.unseal(registration.recovery_key, purpose=purpose)
    return hmac.digest(key, (_read(code) or "").encode(), hashlib.sha256)


def key_purpose(registration_id: str) -> str:
    """Return what the key of a registration's recovery codes is sealed for."""
    return f"totps.recovery_key:{registration_id}"


def _purpose(code_id: str) -> str:
    return f"recovery_codes.sealed:{code_id}"


def _unsealed(context: Context, code: RecoveryCode) -> str:
    return context.sealer.unseal(code.sealed, purpose=_purpose(code.recovery_code_id)).decode()


def _of(registration: Totp) -> dict[str, Any]:
    return {
        **tenancy.of_organization(registration),
        "totp_registration_id": registration.totp_registration_id,
    }
