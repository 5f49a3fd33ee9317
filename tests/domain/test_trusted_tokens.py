"""Trusted token profiles; tests/domain/test_attestation.py uses them."""

import json
from typing import Any

import pytest

from tests.support.determinism import HandClock
from vestibule.domain import trusted_tokens
from vestibule.domain.context import Context
from vestibule.errors import Failure
from vestibule.records import Project, TrustedTokenProfile

GOOD: dict[str, Any] = {
    "name": "Ours",
    "issuer": "https://tokens.example.com",
    "audience": "vestibule",
    "jwks_url": "https://tokens.example.com/jwks",
    "attribute_mapping": {"email": "email", "token_id": "jti"},
}


async def add(context: Context, project: Project, **changes: Any) -> TrustedTokenProfile:
    given = trusted_tokens.read(json.dumps({**GOOD, **changes}).encode())
    return await trusted_tokens.add(context, project, given)


async def test_profiles_are_kept_until_they_are_removed(
    context: Context, project: Project, clock: HandClock
) -> None:
    first = await add(context, project)
    clock.advance(1)
    assert first.profile_id.startswith("trusted-auth-token-profile-test-")
    assert first.can_jit_provision is False
    second = await add(context, project, name="Theirs", can_jit_provision=True)
    assert await trusted_tokens.get(context, project, first.profile_id) == first
    assert await trusted_tokens.get_all(context, project) == [first, second]
    await trusted_tokens.remove(context, project, first.profile_id)
    assert await trusted_tokens.get_all(context, project) == [second]
    for ask in (trusted_tokens.get, trusted_tokens.remove):
        with pytest.raises(Failure) as refused:
            await ask(context, project, first.profile_id)
        assert refused.value.error.name == "trusted_token_profile_not_found"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "name: expected 1 to 512 characters."),
        ({"issuer": ""}, "issuer: expected 1 to 512 characters."),
        ({"audience": "x" * 513}, "audience: expected 1 to 512 characters."),
        ({"jwks_url": ""}, "Either jwks_url or public_keys is needed."),
        ({"public_keys": ["x"]}, "Either jwks_url or public_keys is needed."),
        ({"jwks_url": "http://tokens.example.com/jwks"}, "jwks_url: expected an https URL."),
        ({"jwks_url": "jwks"}, "jwks_url: expected an https or http URL."),
        ({"jwks_url": "", "public_keys": ["x"] * 6}, "public_keys: expected at most 5."),
        (
            {"jwks_url": "", "public_keys": ["x"]},
            "public_keys: expected an RSA (2048 to 8192 bits) or EC public key in PEM.",
        ),
    ],
    ids=str,
)
async def test_profile_that_cannot_be_used_is_refused(
    context: Context, project: Project, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(Failure) as refused:
        await add(context, project, **changes)
    assert refused.value.error.name == "trusted_token_profile_invalid_request"
    assert refused.value.message == message


@pytest.mark.parametrize(
    "mapping",
    [{}, {"email": "email"}, {"email": "", "token_id": "jti"}, {**GOOD, "token_id": "jti"}],
    ids=["none", "no_token_id", "empty", "unknown"],
)
async def test_mapping_names_what_is_needed_and_nothing_else(
    context: Context, project: Project, mapping: dict[str, str]
) -> None:
    with pytest.raises(Failure) as refused:
        await add(context, project, attribute_mapping={k: str(v) for k, v in mapping.items()})
    assert refused.value.message.startswith("attribute_mapping: expected claims for email, token")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("x", "malformed"),
        ("[]", "Expected `object`"),
        ("{}", "missing required field"),
        (json.dumps({**GOOD, "audience": 7}), "$.audience"),
        (json.dumps({**GOOD, "secret": "x"}), "secret"),
    ],
    ids=["word", "list", "empty", "number", "unknown"],
)
def test_text_that_is_no_profile_is_refused(text: str, named: str) -> None:
    with pytest.raises(Failure) as refused:
        trusted_tokens.read(text.encode())
    assert refused.value.error.name == "trusted_token_profile_invalid_request"
    assert named in refused.value.message


async def test_project_has_a_bounded_number_of_profiles(context: Context, project: Project) -> None:
    for _ in range(20):
        await add(context, project)
    with pytest.raises(Failure) as refused:
        await add(context, project)
    assert refused.value.error.name == "too_many_trusted_token_profiles_for_project"
